import { rm } from "node:fs/promises";
import { join } from "node:path";
import { claimRun } from "../db/claim-run.ts";
import { closeSpans } from "../db/close-spans.ts";
import { listJobs, type StoredJob } from "../db/find-job.ts";
import { finishJob } from "../db/finish-job.ts";
import { eventPage, readJobEvents } from "../db/read-events.ts";
import type { Event } from "../protocol/event.ts";
import { faultExits } from "../protocol/failure.ts";
import { runId } from "../protocol/ids.ts";
import { noUsage } from "../protocol/message.ts";
import type { Reason, Result, TaskResult } from "../protocol/result.ts";
import type { Equipment } from "./equipment.ts";

/**
 * With an embedded database, whoever opens it is alone: a job that still runs has lost its process. It is ended in
 * the log with what it had finished, so that it never looks alive; taking it up again comes with durable runs.
 */
export async function recover(equipment: Equipment): Promise<void> {
  const { database, home } = equipment;
  // A check's checkout holds nothing that is not in a tree. Workspaces are left: what is in them may be nowhere else.
  await rm(join(home, "checkouts"), { recursive: true, force: true });
  const jobs = await listJobs({ limit: lookBack }, database);
  for (const job of jobs.filter((each) => each.state === "running")) await endInterrupted(job, equipment);
}

const lookBack = 100;

async function endInterrupted(job: StoredJob, { clock, database, node }: Equipment): Promise<void> {
  const claim = { runId: runId.parse(job.id), owner: node, from: ["queued", "waiting", "running"] as const };
  const root = await claimRun(claim, clock, database);
  if (!root) return;
  const result = interruptedResult(job, await allEvents(job, database), clock.now());
  const { outcome, exit_code, reason } = result;
  const failure = { code: "interrupted", message: reason?.message ?? "interrupted" };
  const facts = [{ type: "job.finished" as const, data: { outcome, exit_code, result } }];
  await closeSpans(job.id, "the process that recorded it ended", database);
  await finishJob(root, { outcome, result, failure, facts }, clock, database);
}

async function allEvents(job: StoredJob, database: Equipment["database"]): Promise<Event[]> {
  const all: Event[] = [];
  for (let after = 0; ; ) {
    const page = await readJobEvents(job.id, after, database);
    all.push(...page.map(({ event }) => event));
    if (page.length < eventPage) return all;
    after = page.at(-1)?.pos ?? after;
  }
}

/** Pure: what the log says of the tasks, and nothing that it does not say. */
function interruptedResult(
  job: Pick<StoredJob, "id" | "handle" | "name" | "baseCommit" | "traceId" | "createdAt">,
  events: readonly Event[],
  endedAt: number,
): Result {
  const reason: Reason = {
    code: "interrupted",
    message: "the process that ran this job ended before the job did",
    remedy: "run it again; what its finished tasks did is kept, see: sheaf diff --task",
  };
  return {
    schema: "sheaf.result/v1",
    job: { id: job.id, handle: job.handle, name: job.name },
    outcome: "error",
    exit_code: faultExits.conflict,
    reason,
    base_commit: job.baseCommit,
    result_commit: null,
    result_tree: null,
    tasks: tasksOf(events),
    checks: [],
    denials: [],
    usage: { ...noUsage, cost_usd: 0, cost_known: true },
    trace_id: job.traceId,
    started_at: job.createdAt.toISOString(),
    ended_at: new Date(endedAt).toISOString(),
    next: [{ command: `sheaf logs ${job.handle}`, why: "what happened until then" }],
  };
}

function tasksOf(events: readonly Event[]): TaskResult[] {
  const ends = new Map(
    events.flatMap((event) => (event.type === "task.finished" ? [[event.data.task_id, event.data]] : [])),
  );
  const planned = events.flatMap((event) => (event.type === "job.planned" ? event.data.tasks : []));
  return planned.map(({ id, title }) => {
    const end = ends.get(id);
    const lines = { insertions: 0, deletions: 0 };
    const kept = { id, title, landed: false, reused: false, files_changed: end?.files_changed ?? 0, ...lines };
    const reason = end ? end.failure : { code: "interrupted", message: "it had not finished" };
    return { ...kept, state: end?.state ?? "failed", attempts: end?.attempts ?? 0, ...(reason ? { reason } : {}) };
  });
}
