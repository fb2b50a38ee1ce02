import { finishJob } from "../db/finish-job.ts";
import { recordLanded } from "../db/record-landed.ts";
import type { Fact } from "../protocol/event.ts";
import { taskId } from "../protocol/ids.ts";
import type { Result } from "../protocol/result.ts";
import { attribute } from "../telemetry/semconv.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { leaving } from "./leaving.ts";
import { redactRecord } from "./result/redact-record.ts";
import { tellListeners } from "./tell-listeners.ts";

/** Writes the result into the log and the job's row in one transaction, and closes the trace. */
export async function finish(said: Result, job: Job, equipment: Equipment): Promise<Result> {
  const result = redactRecord(said, equipment.redact);
  const { outcome, exit_code, reason } = result;
  const { clock, database } = equipment;
  await job.standing.confirm();
  const landed = result.tasks.flatMap((task) => (task.landed ? [taskId.parse(task.id)] : []));
  await recordLanded(job.root, landed, database);
  const failure = reason && { code: reason.code, message: reason.message };
  const facts: Fact[] = [{ type: "job.finished", data: { outcome, exit_code, result } }];
  const within = leaving(job.wake, equipment);
  await finishJob(job.root, { outcome, result, failure, facts, within }, clock, database);
  tellListeners(equipment, { job: { id: job.id, traceId: job.span.traceId }, runId: job.root.runId, facts });
  const runs = result.tasks.reduce((sum, task) => sum + task.attempts, 0);
  job.span.set({
    [attribute.outcome]: outcome,
    [attribute.agents]: runs,
    [attribute.costNanoUsd]: Math.round(result.usage.cost_usd * 1e9),
  });
  job.span.end(exit_code === 0 ? {} : { status: "error", message: reason?.message ?? outcome });
  equipment.hub.closeOrphans(job.id, "the job ended");
  await equipment.hub.flush();
  return result;
}
