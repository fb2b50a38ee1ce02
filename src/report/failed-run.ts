import { exitOfFailure, type Failure } from "../protocol/failure.ts";
import { noUsage } from "../protocol/message.ts";
import type { Result } from "../protocol/result.ts";

/**
 * The result of a run that ended before there was a job: a file that cannot be read, no sandbox, a folder in use. CI
 * reads one document whatever happened; what never came to be is empty (ids, handle, commits), and nothing is made up.
 */
export function resultOfFailure(
  failure: Failure,
  { name, startedAt, endedAt }: { name: string; startedAt: number; endedAt: number },
): Result {
  return {
    schema: "sheaf.result/v1",
    job: { id: "", handle: "", name },
    outcome: "error",
    exit_code: exitOfFailure(failure),
    reason: failure,
    base_commit: "",
    result_commit: null,
    result_tree: null,
    tasks: [],
    checks: [],
    denials: [],
    usage: { ...noUsage, cost_usd: 0, cost_known: true },
    trace_id: "",
    started_at: new Date(startedAt).toISOString(),
    ended_at: new Date(endedAt).toISOString(),
    next: [],
  };
}
