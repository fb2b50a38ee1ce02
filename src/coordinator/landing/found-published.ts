import type { StoredJob } from "../../db/find-job.ts";
import type { Event } from "../../protocol/event.ts";
import type { Result } from "../../protocol/result.ts";
import { tipOfBranch } from "../../workspace/publish.ts";
import { openRepository, type Repository } from "../../workspace/repository.ts";
import type { Equipment } from "../equipment.ts";

/**
 * A branch is moved between two facts, and the process may have gone in between: then the branch itself says whether it
 * was moved. A patch file says nothing of whether it is whole, and is not asked.
 */
export async function foundPublished(
  job: Pick<StoredJob, "id" | "repository">,
  events: readonly Event[],
  { home, git }: Pick<Equipment, "home" | "git">,
): Promise<Result["published"]> {
  if (!events.some(({ type }) => type === "publish.intended")) return undefined;
  try {
    const repository = await openRepository(job.repository, { home, git });
    try {
      return await foundIn(events, { id: job.id, repository });
    } finally {
      await repository.close();
    }
  } catch {
    // The repository may be gone by now; the job ends as interrupted all the same.
    return undefined;
  }
}

/** The same in a repository that is open. */
export async function foundIn(
  events: readonly Event[],
  { id, repository }: { id: string; repository: Repository },
): Promise<Result["published"]> {
  const last = events.findLast((event) => event.type === "publish.intended" || event.type === "publish.finished");
  if (last?.type === "publish.finished") return last.data.failure ? undefined : told(last.data);
  if (last?.type !== "publish.intended" || last.data.kind !== "branch") return undefined;
  const landed = events.flatMap((event) => (event.type === "merge.landed" ? [event.data.commit] : []));
  const own = await repository.objects.info(`refs/sheaf/${id}/published`);
  const tip = await tipOfBranch(repository, last.data.target);
  return tip !== null && [...landed, own?.oid].includes(tip) ? { branch: last.data.target } : undefined;
}

function told({ kind, target }: { kind: string; target: string }): Result["published"] {
  return kind === "branch" ? { branch: target } : { patch_file: target };
}
