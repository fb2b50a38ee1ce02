import type { Equipment } from "../coordinator/equipment.ts";
import { result as resultSchema } from "../protocol/result.ts";
import { openRepository, type Repository } from "../workspace/repository.ts";
import { requireJob } from "./find-job.ts";
import type { Surroundings } from "./session.ts";

/** A job with its repository open, and the commit it landed (null when nothing did). */
export async function openJobResult(name: string, { database, home }: Equipment, { git, config }: Surroundings) {
  const job = await requireJob(name, database);
  const repository: Repository = await openRepository(job.repository, { home, git, userHome: config.userHome });
  const result = job.result === undefined ? null : resultSchema.parse(job.result);
  return { job, repository, result: result?.result_commit ?? null };
}
