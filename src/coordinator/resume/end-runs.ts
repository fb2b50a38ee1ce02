import type { ClaimedRun } from "../../db/claim-run.ts";
import { takeOverRuns } from "../../db/take-over.ts";
import type { Event } from "../../protocol/event.ts";
import type { JobSpec } from "../../protocol/job.ts";
import type { Step } from "../../protocol/step.ts";
import { stepsAsPlanned } from "../../split/planned-tasks.ts";
import { plannerId } from "../../split/task-ids.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { modelOf, usageIn } from "../result/open-runs.ts";
import { endRun } from "../tasks/claimed-run.ts";
import { eventsOfRun } from "./events-of.ts";
import { forgetQuestions } from "./forget-questions.ts";
import type { History, PastRun } from "./history.ts";

/**
 * The runs that go on from their logs: those that ask a model and pay for its answers. A codemod costs nothing and comes
 * to the same again, and a command has a checkout for itself: such runs are ended as what they are, and begun anew.
 */
export function goingOn(history: History, spec: JobSpec): ReadonlyMap<string, ClaimedRun> {
  const found = history.planned ? openSteps(history, spec) : [history.runOf(plannerId, 0)];
  const kept = found.flatMap((run) => (run?.claimed ? [run.claimed] : []));
  return new Map(kept.map((run) => [run.runId, run]));
}

function openSteps({ planned, tasks, runOf }: History, spec: JobSpec): (PastRun | undefined)[] {
  const stepsOf = stepsAsPlanned(spec, planned?.plan);
  const open = (planned?.tasks ?? []).filter(({ id }) => !tasks.get(id)?.record);
  return open.flatMap(({ id }) => stepsOf(id).map((step, place) => (asksModel(step) ? runOf(id, place) : undefined)));
}

function asksModel(step: Step): boolean {
  return step.kind === "agent" && step.agent.model.provider === "messages";
}

/** Ends all others, with what they used and what they had asked for in full. Nobody has the job yet, or any more. */
export async function endOthers(
  { events, open }: Pick<History, "events" | "open">,
  going: ReadonlyMap<string, ClaimedRun>,
  equipment: Equipment,
): Promise<void> {
  const logs = Map.groupBy(events, ({ run_id }) => run_id);
  const job = silentJob(equipment);
  for (const [id, claimed] of open) {
    if (!going.has(id)) await endAsInterrupted(claimed, logs.get(id) ?? [], { job, equipment });
  }
}

/**
 * Ends what is left of a job's runs before the job ends itself: those that were to go on, and that nobody went on with
 * because their task was put out, was found done, or began from another tree by now.
 */
export async function endLeft(job: Job, equipment: Equipment): Promise<void> {
  if (!job.history) return;
  const { database, node } = equipment;
  const left = await takeOverRuns(job.id, node, database, { isAll: true });
  for (const claimed of left.values()) {
    await forgetQuestions(claimed, { job, equipment });
    await endAsInterrupted(claimed, await eventsOfRun(claimed.runId, database), { job, equipment });
  }
}

async function endAsInterrupted(
  claimed: ClaimedRun,
  log: readonly Event[],
  { job, equipment }: { job: Pick<Job, "logRun">; equipment: Equipment },
): Promise<void> {
  const spent = usageIn(log, equipment.models);
  const model = modelOf(log);
  const failure = { code: "interrupted", message: "the process that ran it ended before it did" };
  const turns = log.filter(({ type }) => type === "turn.finished").length;
  const report = { state: "cancelled" as const, failure, turns, usage: spent.usage };
  const ending = { report, spent, denials: [], hasThreadDied: false, ...(model === undefined ? {} : { model }) };
  await endRun(claimed, ending, { job, equipment });
}

/** What is appended is told to nobody. */
function silentJob({ writer }: Equipment): Pick<Job, "logRun"> {
  return {
    async logRun(run, facts, _spanId, also) {
      await writer.append(run, facts, also ? { also } : {});
    },
  };
}
