import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { Fault } from "../protocol/failure.ts";
import { jobId } from "../protocol/ids.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { Result } from "../protocol/result.ts";
import { patchOf } from "../workspace/diff.ts";
import { publishBranch, refuseTaken, tipOfBranch } from "../workspace/publish.ts";
import { openRepository, type Repository, withScratch } from "../workspace/repository.ts";
import { keep } from "../workspace/tree.ts";
import { takeResult } from "../workspace/unbundle.ts";
import type { Session, Surroundings } from "./session.ts";

/**
 * What a job that ran elsewhere was to publish here is published by whoever asked for it, under the same rule: nothing
 * red, and nothing unverified.
 */
export async function takeHome(
  result: Result,
  spec: JobSpec,
  { session, around }: { session: Session; around: Surroundings },
): Promise<Result> {
  const isOpen = result.result_commit !== null && !result.checks.some((check) => check.state === "unverified");
  if (session.reach === "own" || result.published || !isOpen) return result;
  const { publish } = spec;
  if (publish.kind === "patch" && publish.file !== undefined) {
    await mkdir(dirname(publish.file), { recursive: true });
    await writeFile(publish.file, await patchHere(result, spec, { session, around }));
    return { ...result, published: { patch_file: publish.file } };
  }
  if (publish.kind !== "branch" || session.reach !== "server") return result;
  const { config, git } = around;
  const repository = await openRepository(spec.base.repository, { home: config.home, git, userHome: config.userHome });
  try {
    const tip = await tipOfBranch(repository, publish.name);
    if (tip !== null && publish.existing === "skip") return result;
    const commit = await fetchResult(result, repository, session.coordinator);
    const expected = publish.existing === "replace" ? tip : null;
    await publishBranch(repository, { branch: publish.name, commit, expected });
    return { ...result, published: { branch: publish.name } };
  } finally {
    await repository.close();
  }
}

/** On this machine the commit is at hand, whether or not the process that made it still is. */
async function patchHere(
  { job, base_commit, result_commit }: Result,
  { base }: JobSpec,
  { session, around }: { session: Session; around: Surroundings },
): Promise<Uint8Array> {
  if (session.reach === "server") return session.coordinator.patch(jobId.parse(job.id), {});
  const { config, git } = around;
  const repository = await openRepository(base.repository, { home: config.home, git, userHome: config.userHome });
  try {
    return await patchOf(repository, base_commit, String(result_commit));
  } finally {
    await repository.close();
  }
}

/**
 * Before a job is sent away: throws Fault `conflict` for a branch that is there, and `usage` for ways to publish that
 * need checks of another tree, which only whoever holds the repository can run.
 */
export async function refuseUnpublishable({ publish }: JobSpec, repository: Repository): Promise<void> {
  if (publish.kind !== "branch") return;
  await refuseTaken(repository, publish);
  const { existing, on_base_moved, group_by } = publish;
  const odd = [
    existing === "update" && "existing: update",
    on_base_moved !== "keep" && `onBaseMoved: ${on_base_moved}`,
    group_by !== "job" && `groupBy: ${group_by}`,
  ].find(Boolean);
  if (!odd) return;
  throw new Fault("usage", `publish: ${odd} needs the repository where the job runs, and the server has only a copy`, {
    remedy: "run it without --server, or on the server's machine; or publish a new branch",
  });
}

/** Brings the result's commit into our own repository beside the user's, and keeps it there; answers the commit. */
export async function fetchResult(
  { job, base_commit, result_commit }: Pick<Result, "job" | "base_commit" | "result_commit">,
  repository: Repository,
  coordinator: Coordinator,
): Promise<string> {
  const bytes = await coordinator.bundle(jobId.parse(job.id));
  const commit = String(result_commit);
  await withScratch(repository, async (folder) => {
    const file = join(folder, "result");
    await writeFile(file, bytes);
    await takeResult(repository.git, { file, gitDir: repository.gitDir, base: base_commit, commit });
  });
  await keep(repository, `refs/sheaf/${job.id}/result`, commit);
  return commit;
}
