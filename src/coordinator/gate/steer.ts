import { findJob } from "../../db/find-job.ts";
import { listTasks } from "../../db/list-tasks.ts";
import { storeRequest } from "../../db/store-request.ts";
import { Fault } from "../../protocol/failure.ts";
import { type JobId, runId } from "../../protocol/ids.ts";
import type { Steered, Steering } from "../../protocol/steer.ts";
import type { Equipment } from "../equipment.ts";

/**
 * Keeps what somebody says to the agents of a job until the job's owner takes it. A task that has yet to begin hears it
 * when it does. Throws Fault `usage` where there is no such task, `conflict` where nobody would hear it any more.
 */
export async function storeSteering(
  id: JobId,
  { text, task }: Steering,
  { clock, database, redact }: Pick<Equipment, "clock" | "database" | "redact">,
): Promise<Steered> {
  const tasks = await listTasks(id, database);
  const named = tasks.find((each) => each.id === task);
  if (task !== undefined && !named) throw unknownTask(task, tasks.length > 0);
  if (named?.state) throw over(`task ${named.id} has ended: ${named.state}`);
  const request = { runId: runId.parse(id), kind: "steer", text: redact(text), ...(task ? { task } : {}) } as const;
  if (!(await storeRequest(request, clock, database))) {
    const job = await findJob(id, database);
    throw over(`job ${job?.handle ?? id} is over${job?.outcome ? `: ${job.outcome}` : ""}`);
  }
  return { tasks: named ? [named.id] : tasks.filter(({ state }) => state === null).map((each) => each.id) };
}

function unknownTask(task: string, isPlanned: boolean): Fault {
  if (!isPlanned) {
    return new Fault("conflict", `the job has no task ${JSON.stringify(task)} yet: it is still being planned`, {
      remedy: "say it to the whole job, or try again when its tasks are there",
    });
  }
  return new Fault("usage", `the job has no task ${JSON.stringify(task)}`, { remedy: "sheaf show names its tasks" });
}

function over(message: string): Fault {
  return new Fault("conflict", `${message}; nobody would hear it`, { remedy: "run it again with another prompt" });
}

/** As an agent reads it, outside of every result: so that it is told apart from what files and commands say. */
export function asSaid(text: string): string {
  return `Message from the operator: ${text}`;
}
