import { join } from "node:path";
import { findRemembered } from "../../db/find-approval.ts";
import { findJob } from "../../db/find-job.ts";
import { readRunEvents } from "../../db/read-events.ts";
import { findSaidTo, type Said } from "../../db/spread-runs.ts";
import { fillStep } from "../../job/fill-step.ts";
import type { Event, FactData } from "../../protocol/event.ts";
import { type JobId, newUuid, runId, type TaskId } from "../../protocol/ids.ts";
import type { AgentStep } from "../../protocol/step.ts";
import type { Task } from "../../protocol/task.ts";
import { stepsAsPlanned } from "../../split/planned-tasks.ts";
import { BlobFiles } from "../../workspace/blob-files.ts";
import { askedIn, Questions } from "../approvals/questions.ts";
import { openBrief } from "../brief/brief.ts";
import type { Equipment } from "../equipment.ts";
import { Notices } from "../gate/notices.ts";
import { asSaid } from "../gate/steer.ts";
import type { Job } from "../job.ts";
import { traceOfOther } from "../job-trace.ts";
import { clearAway } from "../tasks/clear-away.ts";
import { openShared } from "./shared-repository.ts";

/** A job of another process as a node needs it that does some of its runs: made of its log, and never written. */
export interface Guest {
  /** What all its runs here share. */
  job: Pick<
    Job,
    "id" | "handle" | "root" | "spec" | "repository" | "span" | "tracer" | "startedAt" | "brief" | "blobs"
  > & { questions: Questions; notices: Notices };
  /** Undefined where the plan has no such step, or it is none of an agent. */
  stepOf(id: TaskId, ordinal: number): { task: Task; step: AgentStep } | undefined;
  /** What its owner was told for its agents, each once. */
  hear(said: readonly Said[]): void;
}

/** So long after its last run here a job's repository is kept open for the next one. */
const keptMs = 5_000;

interface Open {
  guest: Promise<Guest | undefined>;
  users: number;
}

/** The jobs that this node does runs of, each opened once. */
export class Guests {
  readonly #equipment: Equipment;
  readonly #open = new Map<JobId, Open>();

  constructor(equipment: Equipment) {
    this.#equipment = equipment;
  }

  /** Undefined where this node can do none of its runs. Each one that it answers is to be let go of. */
  async use(id: JobId): Promise<Guest | undefined> {
    const open = this.#open.get(id) ?? { guest: openGuest(id, this.#equipment), users: 0 };
    this.#open.set(id, open);
    open.users += 1;
    try {
      const guest = await open.guest;
      if (!guest) this.#forget(id, open);
      return guest;
    } catch (thrown) {
      this.#forget(id, open);
      throw thrown;
    }
  }

  letGo(id: JobId): void {
    const open = this.#open.get(id);
    if (!open || --open.users > 0) return;
    setTimeout(() => void this.#closeUnused(id, open), keptMs).unref();
  }

  /** Those that are not in use go at once. */
  async close(): Promise<void> {
    for (const [id, open] of [...this.#open]) await this.#closeUnused(id, open);
  }

  async #closeUnused(id: JobId, open: Open): Promise<void> {
    if (open.users > 0 || this.#open.get(id) !== open) return;
    this.#open.delete(id);
    const { job } = (await open.guest) ?? {};
    if (!job) return;
    await clearAway({ dispose: () => job.blobs[Symbol.asyncDispose]() }, this.#equipment);
    await job.repository.close();
  }

  #forget(id: JobId, open: Open): void {
    open.users -= 1;
    if (this.#open.get(id) === open) this.#open.delete(id);
  }
}

async function openGuest(id: JobId, equipment: Equipment): Promise<Guest | undefined> {
  const { clock, database, home } = equipment;
  const root = runId.parse(id);
  const stored = await findJob(id, database);
  const events = await readRunEvents(root, 0, database);
  const spec = dataOf(events, "job.created")?.spec;
  const planned = dataOf(events, "job.planned");
  if (stored?.state !== "running" || !spec || !planned) return undefined;
  const repository = await openShared(stored, equipment);
  if (!repository) return undefined;
  const [questions, notices] = [new Questions(), new Notices()];
  for (const approval of await findRemembered(id, database)) questions.remember(askedIn(approval), approval);
  const hear = hearOnce(notices);
  hear(await findSaidTo([root], database));
  const job = {
    ...{ id, handle: stored.handle, root: { runId: root, jobId: id, epoch: 0, head: 0 }, spec, repository },
    ...{ ...traceOfOther(stored, equipment), startedAt: stored.createdAt.getTime(), questions, notices },
    // What it is made of stands in the job's log already.
    brief: openBrief({ spec, repository, log: async () => {} }, equipment),
    blobs: new BlobFiles(repository, join(home, "checkouts", `search-${newUuid(clock)}`)),
  };
  return { job, stepOf: stepsIn(planned, spec), hear };
}

function dataOf<T extends Event["type"]>(events: readonly Event[], type: T): FactData<T> | undefined {
  return events.find((event) => event.type === type)?.data as FactData<T> | undefined;
}

function stepsIn(planned: FactData<"job.planned">, spec: Job["spec"]): Guest["stepOf"] {
  const stepsOf = stepsAsPlanned(spec, planned.plan);
  const tasks = new Map(planned.tasks.map((task) => [task.id, task]));
  return (id, ordinal) => {
    const found = tasks.get(id);
    const task = found && { ...found, steps: stepsOf(id) };
    const step = task?.steps[ordinal];
    if (!task || step?.kind !== "agent") return undefined;
    const filled = fillStep(step, task);
    return filled.kind === "agent" ? { task, step: filled } : undefined;
  };
}

function hearOnce(notices: Notices): Guest["hear"] {
  const heard = new Set<string>();
  return (said) => {
    for (const { id, text, task } of said) {
      if (!heard.has(id)) notices.tell(task ?? undefined, asSaid(text));
      heard.add(id);
    }
  };
}
