import { finishJob } from "../db/finish-job.ts";
import type { Result } from "../protocol/result.ts";
import { attribute } from "../telemetry/semconv.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";

/** Writes the result into the log and the job's row in one transaction, and closes the trace. */
export async function finish(result: Result, job: Job, equipment: Equipment): Promise<Result> {
  const { outcome, exit_code, reason } = result;
  await finishJob({ id: job.id, epoch: 1, outcome, exitCode: exit_code, result, tasks: result.tasks }, equipment);
  const runs = result.tasks.reduce((sum, task) => sum + task.attempts, 0);
  job.span.set({ [attribute.outcome]: outcome, [attribute.agents]: runs, [attribute.costNanoUsd]: 0 });
  job.span.end(exit_code === 0 ? {} : { status: "error", message: reason?.message ?? outcome });
  equipment.hub.closeOrphans(job.id, "the job ended");
  await equipment.hub.flush();
  return result;
}
