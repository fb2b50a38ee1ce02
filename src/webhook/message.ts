import type { Fact } from "../protocol/event.ts";
import type { JobId } from "../protocol/ids.ts";
import { type Result, result as resultSchema } from "../protocol/result.ts";
import { visibleLine } from "../protocol/visible.ts";

/**
 * What a receiver is told: who, how it ended, and where to look; thin, so that a body stays below 20 kB, and no file
 * content, output or summary of an agent. The whole result is at `GET /v1/jobs/{id}`.
 */
export interface WebhookMessage {
  type: "job.created" | "job.finished";
  /** ISO 8601: when it happened, not when it is sent. */
  timestamp: string;
  data: Readonly<Record<string, unknown>>;
}

/** undefined for a fact that nobody is told. `at` is milliseconds since the epoch. */
export function messageOf(
  job: { id: JobId; traceId: string },
  fact: Fact,
  { at, redact }: { at: number; redact: (text: string) => string },
): WebhookMessage | undefined {
  const timestamp = new Date(at).toISOString();
  if (fact.type === "job.created") {
    const { handle, spec } = fact.data;
    const { ref, commit } = spec.base;
    const data = { job: { id: job.id, handle, name: spec.name }, ref, base_commit: commit, trace_id: job.traceId };
    return { type: "job.created", timestamp, data };
  }
  if (fact.type !== "job.finished") return undefined;
  const parsed = resultSchema.safeParse(fact.data.result);
  return parsed.success ? { type: "job.finished", timestamp, data: endOf(parsed.data, redact) } : undefined;
}

function endOf(result: Result, redact: (text: string) => string): WebhookMessage["data"] {
  const { job, outcome, exit_code, reason, base_commit, result_commit, published, trace_id } = result;
  const told = reason && {
    code: reason.code,
    message: visibleLine(redact(reason.message), 1_000),
    ...(reason.task === undefined ? {} : { task: reason.task }),
    ...(reason.check === undefined ? {} : { check: visibleLine(reason.check, 200) }),
  };
  return {
    job,
    outcome,
    exit_code,
    ...(told ? { reason: told } : {}),
    base_commit,
    result_commit,
    ...(published ? { published } : {}),
    tasks: {
      total: result.tasks.length,
      landed: result.tasks.filter((task) => task.landed).length,
      failed: result.tasks.filter((task) => !task.landed && task.state !== "no_changes").length,
    },
    checks: result.checks.slice(0, 50).map(({ name, state }) => ({ name: visibleLine(name, 200), state })),
    trace_id,
    started_at: result.started_at,
    ended_at: result.ended_at,
  };
}
