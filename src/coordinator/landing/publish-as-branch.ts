import { fold } from "../../merge/fold.ts";
import { Fault } from "../../protocol/failure.ts";
import { taskId } from "../../protocol/ids.ts";
import type { Publish } from "../../protocol/job.ts";
import type { CheckResult, Reason } from "../../protocol/result.ts";
import { movedBase } from "../../workspace/moved-base.ts";
import { publishBranch, tipOfBranch } from "../../workspace/publish.ts";
import { commitTree, keep } from "../../workspace/tree.ts";
import type { Around } from "../commands/setup.ts";
import { followBase } from "../commands/setup-source.ts";
import { describeConflict } from "../land.ts";
import type { Delivered } from "../publish.ts";
import type { FinishedTask } from "../result/finished-task.ts";
import type { Start } from "../tasks/start-of.ts";
import { checkTree } from "./check-tree.ts";
import { commitMessage } from "./commit-message.ts";
import { linearHistory } from "./linear-history.ts";

/**
 * The result as a branch of the user's: on the job's base, on where the base has moved to, or on the branch itself. A
 * tree that nobody checked is never published, and the branch moves only from where it was when that was decided.
 */
export type BranchOrder = Extract<Publish, { kind: "branch" }>;

export interface Landed {
  tree: string;
  commit: string;
  tasks: readonly FinishedTask[];
}

/** How often the ground may move under a publishing before it is given up. */
const mostRounds = 5;

export async function publishAsBranch(order: BranchOrder, landed: Landed, around: Around): Promise<Delivered> {
  let rechecks: readonly CheckResult[] = [];
  for (let round = 1; round <= mostRounds; round++) {
    const ground = await groundFor(order, landed, around);
    if (ground.kind !== "here") return { ...ground.delivered, rechecks };
    const placed = await place(landed, ground.start, around);
    rechecks = placed.rechecks;
    if (placed.kind === "failed") return { failure: placed.failure, rechecks };
    if (placed.kind === "unverified") return { rechecks };
    around.job.signal.throwIfAborted();
    const isStill = await isUnmoved(order, ground, around);
    const commit = isStill && (await commitOn(order, { landed, ground, tree: placed.tree }, around));
    const swapped = commit && (await swap(order, { commit, expected: ground.tip }, around));
    if (swapped) return { ...swapped, rechecks };
  }
  const message = `branch ${order.name} could not be set: it or its base moved ${mostRounds} times meanwhile`;
  return { failure: { code: "moved", message, remedy: "publish again when it is quiet" }, rechecks };
}

type Ground = { kind: "here"; start: Start; tip: string | null; base: string };

/** Where the change goes, and where the branch is now. */
async function groundFor(
  order: BranchOrder,
  landed: Landed,
  { job }: Around,
): Promise<Ground | { kind: "nowhere"; delivered: Delivered }> {
  const tip = await tipOfBranch(job.repository, order.name);
  if (tip !== null && tip === landed.commit)
    return { kind: "nowhere", delivered: { published: { branch: order.name } } };
  if (tip !== null && order.existing === "refuse") {
    const message = `branch ${order.name} is at ${tip.slice(0, 12)}; it was to be a new one`;
    return nowhere({
      failure: { code: "conflict", message, remedy: "sheaf apply takes the result to another branch" },
    });
  }
  if (tip !== null && order.existing === "skip") {
    return nowhere({ skipped: { code: "exists", message: `branch ${order.name} is there already; existing: skip` } });
  }
  const base = await baseFor(order, job);
  if ("code" in base) return nowhere({ failure: base });
  if (tip === null || order.existing !== "update") return { kind: "here", start: base, tip, base: base.commit };
  const tree = await treeAt(job, tip);
  return { kind: "here", start: { commit: tip, tree }, tip, base: base.commit };
}

function nowhere(delivered: Delivered): { kind: "nowhere"; delivered: Delivered } {
  return { kind: "nowhere", delivered };
}

async function treeAt({ repository }: Around["job"], commit: string): Promise<string> {
  const found = await repository.objects.info(`${commit}^{tree}`);
  if (!found) throw new Fault("git", `commit ${commit} cannot be read from ${repository.user.top}`);
  return found.oid;
}

async function baseFor(order: BranchOrder, { spec, repository }: Around["job"]): Promise<Start | Reason> {
  const { base } = spec;
  if (order.on_base_moved === "keep") return base;
  const moved = await movedBase(repository, base);
  if (moved.kind === "same") return base;
  if (moved.kind === "moved" && order.on_base_moved === "recheck") return moved;
  const now = moved.kind === "moved" ? `is at ${moved.commit.slice(0, 12)} now` : "is gone";
  const message = `${base.ref} was at ${base.commit.slice(0, 12)} when the job began, and ${now}`;
  return { code: "base_moved", message, remedy: "run the job again on the new base" };
}

/** After checks that took their time. */
async function isUnmoved(order: BranchOrder, { base }: Ground, { job }: Around): Promise<boolean> {
  const now = await baseFor(order, job);
  return "commit" in now && now.commit === base;
}

type Placed =
  | { kind: "checked"; tree: string; rechecks: readonly CheckResult[] }
  | { kind: "unverified"; rechecks: readonly CheckResult[] }
  | { kind: "failed"; failure: Reason; rechecks: readonly CheckResult[] };

/** The change on the ground it goes to. Where that makes another tree than the one that landed, it is checked anew. */
async function place(landed: Landed, ground: Start, around: Around): Promise<Placed> {
  const { job } = around;
  const tip = { taskId: taskId.parse("result"), ordinal: 0, base: job.spec.base.tree, tree: landed.tree };
  const { tree, leftOut } = await fold(job.repository, ground, [tip]);
  if (leftOut[0]) return { kind: "failed", failure: conflictOf(leftOut[0], ground), rechecks: [] };
  if (tree === landed.tree || tree === ground.tree) return { kind: "checked", tree, rechecks: [] };
  followBase(job, ground.tree);
  const rechecks = await checkTree(tree, around, ground.tree);
  const red = rechecks.find((check) => check.state === "failed");
  if (red) return { kind: "failed", failure: redOf(red, ground), rechecks };
  if (rechecks.length === 0 && job.spec.checks.length > 0)
    return { kind: "failed", failure: unasked(ground), rechecks };
  const isProven = !rechecks.some((check) => check.state === "unverified");
  return isProven ? { kind: "checked", tree, rechecks } : { kind: "unverified", rechecks };
}

/** Checks of single tasks say nothing of the tree that would be published. */
function unasked(ground: Start): Reason {
  return {
    code: "unchecked",
    message: `on ${ground.commit.slice(0, 12)} the change makes a tree that no check has seen: none is at: tree`,
    remedy: "add a check at: tree, or publish a new branch",
  };
}

function conflictOf(
  conflict: Parameters<typeof describeConflict>[0] & { reason: string; hunks: string },
  ground: Start,
): Reason {
  const message = `the change conflicts at ${ground.commit.slice(0, 12)} with ${describeConflict(conflict)}: ${conflict.reason}`;
  return { code: "publish_conflict", message, log: conflict.hunks };
}

function redOf({ name, detail, tail }: CheckResult, ground: Start): Reason {
  const message = `check ${JSON.stringify(name)} on top of ${ground.commit.slice(0, 12)}: ${detail ?? "failed"}`;
  return { code: "check_failed", message, check: name, ...(tail ? { log: tail } : {}) };
}

async function commitOn(
  { group_by }: BranchOrder,
  { landed, ground, tree }: { landed: Landed; ground: Ground; tree: string },
  around: Around,
): Promise<string> {
  const { job, equipment } = around;
  const { start } = ground;
  if (tree === start.tree) return start.commit;
  if (group_by === "job" && start.commit === job.spec.base.commit) return landed.commit;
  const commit =
    group_by === "task"
      ? await linearHistory(landed.tasks, { ground: start, tree }, around)
      : await commitTree(job.repository, {
          tree,
          parents: [start.commit],
          message: commitMessage(job.spec.name, landed.tasks, job),
          at: equipment.clock.now(),
        });
  await keep(job.repository, `refs/sheaf/${job.id}/published`, commit);
  return commit;
}

/** Undefined when the branch moved after we looked: then everything is to be looked at again. */
async function swap(
  { name }: BranchOrder,
  { commit, expected }: { commit: string; expected: string | null },
  { job }: Around,
): Promise<Delivered | undefined> {
  try {
    await publishBranch(job.repository, { branch: name, commit, expected });
    return { published: { branch: name } };
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== "conflict") throw cause;
    if ((await tipOfBranch(job.repository, name)) !== expected) return undefined;
    const { code, message, remedy } = cause;
    return { failure: { code, message, ...(remedy ? { remedy } : {}) } };
  }
}
