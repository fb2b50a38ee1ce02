import { chmod, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../protocol/failure.ts";
import { refuseLocked } from "./base.ts";
import { refuseCheckedOut } from "./checked-out.ts";
import { planApply } from "./plan-apply.ts";
import { toShown } from "./raw-path.ts";
import { removeFolder } from "./remove-folder.ts";
import type { Repository } from "./repository.ts";
import { sendObjects } from "./send-objects.ts";
import { stageFiles } from "./stage-files.ts";
import { swapFiles } from "./swap-files.ts";

/**
 * The two ways a result comes home, and the only places that write to what is the user's: a branch, or the working
 * files. Never both, never the index, and never over something that is not what it was expected to be.
 */

/**
 * Makes `branch` point at `commit` in the user's repository. `expected` is the commit it must be at now, absent or null
 * when it must not exist; a branch that is there already is left. Throws Fault `usage` (no branch name), `conflict`
 * (the branch is elsewhere, or checked out), `locked` or `git`.
 */
export async function publishBranch(
  repository: Repository,
  order: { branch: string; commit: string; expected?: string | null },
): Promise<void> {
  const { branch, commit, expected = null } = order;
  const ref = `refs/heads/${branch}`;
  await refuseBadName(repository, branch);
  const current = await commitOf(repository, ref);
  if (current === commit) return;
  if (current !== expected) throw moved(branch, current, expected);
  await refuseCheckedOut(repository, ref);
  await sendObjects(repository, commit);
  await compareAndSwap(repository, { ref, commit, expected, branch });
}

/** The commit a branch of the user's is at; null where there is none. Throws Fault `usage` for what names no branch. */
export async function tipOfBranch(repository: Repository, branch: string): Promise<string | null> {
  await refuseBadName(repository, branch);
  return commitOf(repository, `refs/heads/${branch}`);
}

/**
 * Before any work is done for it: throws Fault `usage` (no branch name), or `conflict` where the branch is there and is
 * not to be, or is to be moved and cannot.
 */
export async function refuseTaken(
  repository: Repository,
  { name, existing }: { name: string; existing: "refuse" | "skip" | "replace" | "update" },
): Promise<void> {
  const tip = await tipOfBranch(repository, name);
  if (tip === null || existing === "skip") return;
  if (existing === "refuse") throw moved(name, tip, null);
  await refuseCheckedOut(repository, `refs/heads/${name}`);
}

async function refuseBadName({ git, gitDir }: Repository, branch: string): Promise<void> {
  const isUnusable = branch === "HEAD" || branch.startsWith("-") || branch.includes("\0");
  const checked = isUnusable
    ? { code: 1 }
    : await git(["check-ref-format", `refs/heads/${branch}`], { gitDir, accept: [0, 1] });
  if (checked.code === 0) return;
  throw new Fault("usage", `${JSON.stringify(branch)} cannot be the name of a branch`, {
    remedy: "see `git help check-ref-format`; letters, digits, `-`, `_`, `.` and `/` inside are safe",
  });
}

async function commitOf({ git, user }: Repository, ref: string): Promise<string | null> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", ref];
  const found = await git(args, { gitDir: user.gitDir, accept: [0, 1, 128] });
  return found.stdout.toString().trim() || null;
}

function moved(branch: string, current: string | null, expected: string | null): Fault {
  const is = current === null ? "does not exist" : `is at ${current.slice(0, 12)}`;
  const should = expected === null ? "it was to be a new one" : `it was expected at ${expected.slice(0, 12)}`;
  return new Fault("conflict", `branch ${branch} ${is}; ${should}`, {
    remedy: "choose another branch name, or say in the job file what to do: existing: skip, replace or update",
  });
}

async function compareAndSwap(
  { git, user, objectFormat }: Repository,
  order: { ref: string; commit: string; expected: string | null; branch: string },
): Promise<void> {
  const { ref, commit, expected, branch } = order;
  const old = expected ?? "0".repeat(objectFormat === "sha1" ? 40 : 64);
  try {
    await git(["update-ref", "--no-deref", "-m", "sheaf: published", ref, commit, old], { gitDir: user.gitDir });
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== "git") throw cause;
    const isTaken = /but expected|already exists|exists; cannot create|unable to resolve reference/.test(cause.message);
    if (!isTaken) throw cause;
    throw new Fault("conflict", `branch ${branch} could not be set: ${cause.message}`, {
      remedy: "choose another branch name",
      cause,
    });
  }
}

/**
 * Brings the difference between two trees (or commits) into the user's working files: all of it or nothing. The index
 * and the commits stay. Throws Fault `usage` (bare repository), `locked`, or `conflict` with the paths that are in the
 * way: changed by the user, untracked, or behind a filter.
 */
export async function applyToCheckout(
  repository: Repository,
  order: { from: string; to: string },
): Promise<{ paths: string[] }> {
  const { user } = repository;
  if (user.isBare) {
    throw new Fault("usage", `${user.top} is a bare repository: it has no working files`, {
      remedy: "publish a branch instead",
    });
  }
  await refuseLocked(repository);
  const plan = await planApply(repository, order.from, order.to);
  if (plan.steps.length === 0) return { paths: [] };
  // Inside the checkout, because only a rename within one disk is whole or not at all.
  const stage = await mkdtemp(join(user.top, ".sheaf-apply-"));
  try {
    await chmod(stage, 0o700);
    const staged = await stageFiles(repository, stage, plan.steps);
    await swapFiles(user.top, stage, staged);
  } finally {
    await removeFolder(stage);
  }
  return { paths: plan.steps.map(({ path }) => toShown(path)) };
}
