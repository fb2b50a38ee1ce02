import type { ClaimedRun } from "../../db/claim-run.ts";
import type { Event, FactData } from "../../protocol/event.ts";
import { type RunId, runId } from "../../protocol/ids.ts";

/**
 * What the logs of a job say was done before this process had it. Pure: it decides nothing, and what is not in a log did
 * not happen.
 */
export interface History {
  planned?: FactData<"job.planned">;
  /** By task: those that came to an end. */
  tasks: ReadonlyMap<string, FactData<"task.finished">>;
  /** The newest run of a step, which the job itself had begun; undefined where none was. */
  runOf(task: string, step: number): PastRun | undefined;
  /** Deaths of threads that a run of the step was alone in. */
  lonelyDeaths(task: string, step: number): number;
  published?: FactData<"publish.finished">;
  events: readonly Event[];
  /** Of these the job has no end in its log, and this process has them now. */
  open: ReadonlyMap<string, ClaimedRun>;
  /** Any node does these, and goes on with them. */
  elsewhere: ReadonlySet<string>;
}

export interface PastRun {
  runId: RunId;
  /** From 1. */
  attempt: number;
  started: FactData<"run.started">;
  /** Its whole log. */
  events: readonly Event[];
  /** It was cut off in this process, whose books hold what it has spent. */
  isInBooks?: boolean;
  finished?: FactData<"run.finished">;
  /** The right to go on with it; absent where it is over, or elsewhere. */
  claimed?: ClaimedRun;
  /** Any node does it, and its end is yet to come. */
  isElsewhere?: boolean;
}

export function readHistory(
  events: readonly Event[],
  open: ReadonlyMap<string, ClaimedRun>,
  spread: ReadonlySet<string> = new Set(),
): History {
  const over = new Set(events.flatMap(({ type, run_id }) => (type === "run.finished" ? [run_id] : [])));
  const elsewhere = new Set([...spread].filter((id) => !over.has(id as RunId)));
  const logs = Map.groupBy(events, ({ run_id }) => run_id);
  const runs = new Map<string, PastRun[]>();
  for (const event of events) {
    if (event.type !== "task.started") continue;
    const run = pastRun(event.data, logs.get(event.data.run_id) ?? [], { open, elsewhere });
    const key = keyOf(event.data.task_id, event.data.step);
    if (run) runs.set(key, [...(runs.get(key) ?? []), run]);
  }
  const planned = lastOf(events, "job.planned");
  const published = lastOf(events, "publish.finished");
  const ended = events.flatMap((event) => (event.type === "task.finished" ? [event.data] : []));
  return {
    ...(planned ? { planned } : {}),
    ...(published ? { published } : {}),
    tasks: new Map(ended.map((data) => [data.task_id, data])),
    runOf: (task, step) => runs.get(keyOf(task, step))?.at(-1),
    lonelyDeaths: (task, step) => (runs.get(keyOf(task, step)) ?? []).filter(diedAlone).length,
    events,
    open,
    elsewhere,
  };
}

/** Undefined for one whose own log has nothing: it was never begun. */
function pastRun(
  { run_id, attempt }: FactData<"task.started">,
  events: readonly Event[],
  { open, elsewhere }: Pick<History, "open" | "elsewhere">,
): PastRun | undefined {
  const started = lastOf(events, "run.started");
  if (!started) return undefined;
  const finished = lastOf(events, "run.finished");
  const claimed = open.get(run_id);
  return {
    runId: runId.parse(run_id),
    attempt,
    started,
    events,
    ...(finished ? { finished } : {}),
    ...(claimed ? { claimed } : {}),
    ...(elsewhere.has(run_id) ? { isElsewhere: true } : {}),
  };
}

/** A run is alone in its thread from its second attempt on, or once it goes on from its log. */
function diedAlone({ attempt, finished }: PastRun): boolean {
  const { has_thread_died: hasDied = false, has_died_alone: isAlone = attempt > 1 } = finished?.record ?? {};
  return hasDied && isAlone;
}

function keyOf(task: string, step: number): string {
  return `${step} ${task}`;
}

function lastOf<T extends Event["type"]>(events: readonly Event[], type: T): FactData<T> | undefined {
  const found = events.findLast((event) => event.type === type);
  return found?.data as FactData<T> | undefined;
}
