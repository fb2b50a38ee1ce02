import type { StoredJob } from "../../db/find-job.ts";
import { listTasks } from "../../db/list-tasks.ts";
import { Fault } from "../../protocol/failure.ts";
import { result } from "../../protocol/result.ts";
import { patchOf } from "../../workspace/diff.ts";
import { openRepository, type Repository } from "../../workspace/repository.ts";
import type { Equipment } from "../equipment.ts";

/** What a job made, for whoever takes it away. Nothing here changes the user's repository. */

/** The result, or one task's own work, as a patch. Throws Fault `usage` where there is none. */
export async function patchOfJob(job: StoredJob, task: string | undefined, equipment: Equipment): Promise<Uint8Array> {
  const commit = task === undefined ? landedIn(job) : await taskCommit(job, task, equipment);
  const to = required(commit, job);
  // A task's commit stands on what the task started from, which is more than the base where it needed others.
  const from = task === undefined ? job.baseCommit : `${to}^`;
  return withRepository(job, equipment, (repository) => patchOf(repository, from, to));
}

/** The result's commits since the base, as a git bundle with the one ref `refs/sheaf/ID/result`. */
export async function bundleOf(job: StoredJob, equipment: Equipment): Promise<Uint8Array> {
  required(landedIn(job), job);
  return withRepository(job, equipment, async (repository) => {
    const wanted = ["bundle", "create", "--quiet", "-", `refs/sheaf/${job.id}/result`, `^${job.baseCommit}`];
    return (await repository.git(wanted, { gitDir: repository.gitDir })).stdout;
  });
}

function landedIn(job: StoredJob): string | null {
  return job.result === undefined ? null : result.parse(job.result).result_commit;
}

async function taskCommit(job: StoredJob, task: string, { database }: Equipment): Promise<string | null> {
  const tasks = await listTasks(job.id, database);
  const found = tasks.find((each) => each.id === task);
  if (found) return found.resultCommit;
  const names = tasks.slice(0, 20).map((each) => each.id);
  throw new Fault("usage", `job ${job.handle} has no task ${JSON.stringify(task)}`, {
    remedy: `it has ${names.join(", ")}`,
  });
}

function required(commit: string | null, { handle }: StoredJob): string {
  if (commit !== null) return commit;
  throw new Fault("usage", `nothing of that landed in ${handle}`, {
    remedy: `sheaf show ${handle} says why; sheaf diff ${handle} --task ID shows what one task did`,
  });
}

async function withRepository<T>(
  job: StoredJob,
  { git, home }: Equipment,
  work: (repository: Repository) => Promise<T>,
): Promise<T> {
  const repository = await openRepository(job.repository, { home, git });
  try {
    return await work(repository);
  } finally {
    await repository.close();
  }
}
