import type { Task } from "../../protocol/task.ts";
import { keep } from "../../workspace/tree.ts";
import type { Job } from "../job.ts";

/**
 * Keeps the commit of a task under a ref that is this owner's of the job alone: one that lost the job unawares, frozen
 * between its look and its write, cannot take the ref from under the commit that the next owner recorded.
 */
export async function keepWork(
  { ordinal }: Pick<Task, "ordinal">,
  commit: string,
  { id, root, repository, standing }: Pick<Job, "id" | "root" | "repository" | "standing">,
): Promise<void> {
  await standing.confirm();
  await keep(repository, `refs/sheaf/${id}/tasks/${ordinal}-${root.epoch}`, commit);
}
