import type { StoredJob } from "../../db/find-job.ts";
import type { Event, FactData } from "../../protocol/event.ts";
import { faultExits } from "../../protocol/failure.ts";
import { exitOf } from "../../protocol/outcome.ts";
import type { Reason, Result, TaskResult } from "../../protocol/result.ts";
import { resultUsage, spentIn } from "./result-usage.ts";

/**
 * The result of a job whose process is gone: what its log says, and nothing that it does not say. Pure. `published` is
 * what was found of a publishing that the log announces and does not end.
 */
export function interruptedResult(
  job: Pick<StoredJob, "id" | "handle" | "name" | "baseCommit" | "traceId" | "createdAt">,
  events: readonly Event[],
  { endedAt, published, why, isCancelled = false }: InterruptedEnding,
): Result {
  const landed = lastOf(events, "merge.landed");
  const reason = isCancelled ? cancelled : interrupted(why);
  return {
    schema: "sheaf.result/v1",
    job: { id: job.id, handle: job.handle, name: job.name },
    ...(isCancelled
      ? { outcome: "cancelled" as const, exit_code: exitOf("cancelled", {}) }
      : { outcome: "error" as const, exit_code: faultExits.conflict }),
    reason,
    base_commit: job.baseCommit,
    result_commit: landed?.commit ?? null,
    result_tree: landed?.tree ?? null,
    ...(published ? { published } : {}),
    tasks: tasksOf(events),
    checks: [],
    denials: [],
    usage: resultUsage(spentIn(events)),
    trace_id: job.traceId,
    started_at: job.createdAt.toISOString(),
    ended_at: new Date(endedAt).toISOString(),
    next: [
      { command: `sheaf logs ${job.handle}`, why: "what happened until then" },
      ...(landed && !published ? [{ command: `sheaf apply ${job.handle}`, why: "take home what had landed" }] : []),
    ],
  };
}

interface InterruptedEnding {
  endedAt: number;
  published: Result["published"];
  why: string;
  /** Somebody had asked for its end. */
  isCancelled?: boolean;
}

const cancelled: Reason = { code: "cancelled", message: "cancelled by request, after its process had ended" };

function interrupted(why: string): Reason {
  return {
    code: "interrupted",
    message: `the process that ran this job ended before the job did, and nobody can go on with it: ${why}`,
    remedy: "run it again; what its finished tasks did is kept, see: sheaf diff --task",
  };
}

function tasksOf(events: readonly Event[]): TaskResult[] {
  const ends = new Map(
    events.flatMap((event) => (event.type === "task.finished" ? [[event.data.task_id, event.data]] : [])),
  );
  const folded = lastOf(events, "merge.landed") ? lastOf(events, "merge.folded")?.folded : undefined;
  const planned = events.flatMap((event) => (event.type === "job.planned" ? event.data.tasks : []));
  return planned.map(({ id, title }) => {
    const end = ends.get(id);
    const lines = { insertions: 0, deletions: 0 };
    const isIn = folded?.includes(id) ?? false;
    const kept = { id, title, landed: isIn, reused: false, files_changed: end?.files_changed ?? 0, ...lines };
    const reason = end ? end.failure : { code: "interrupted", message: "it had not finished" };
    return { ...kept, state: end?.state ?? "failed", attempts: end?.attempts ?? 0, ...(reason ? { reason } : {}) };
  });
}

function lastOf<T extends "merge.landed" | "merge.folded">(events: readonly Event[], type: T): FactData<T> | undefined {
  const found = events.findLast((event) => event.type === type);
  return found?.data as FactData<T> | undefined;
}
