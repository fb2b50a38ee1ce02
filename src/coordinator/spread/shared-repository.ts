import type { StoredJob } from "../../db/find-job.ts";
import type { JobId } from "../../protocol/ids.ts";
import { openRepository, type Repository } from "../../workspace/repository.ts";
import type { Equipment } from "../equipment.ts";

/** What a job is kept by in our own repository from its beginning: whoever finds it has the objects of its runs too. */
export function baseRef(id: JobId): string {
  return `refs/sheaf/${id}/base`;
}

/**
 * The repository of a job, open, where this node shares it with the job's owner; undefined where it does not. A node
 * with a folder of its own could do a run, but nobody would find what it made.
 */
export async function openShared(
  job: StoredJob,
  { home, git }: Pick<Equipment, "home" | "git">,
): Promise<Repository | undefined> {
  const repository = await openRepository(job.repository, { home, git }).catch(() => undefined);
  if (!repository) return undefined;
  if (await repository.objects.info(baseRef(job.id))) return repository;
  await repository.close();
  return undefined;
}
