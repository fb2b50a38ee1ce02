import { type Conflict, fold } from "../merge/fold.ts";
import type { Reason } from "../protocol/result.ts";
import { attribute, mergeSpan } from "../telemetry/semconv.ts";
import { commitTree, keep } from "../workspace/tree.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { checkTree } from "./landing/check-tree.ts";
import { commitMessage } from "./landing/commit-message.ts";
import { type Landing, nothingLanded } from "./landing/landing.ts";
import type { FinishedTask } from "./result/finished-task.ts";
import { withRoom } from "./room.ts";
import { tipOf } from "./tasks/start-of.ts";

/**
 * Many task trees become one tree, and that tree is checked before anything is called landed. A task that is left out
 * takes those with it that build on it. Until a red tree can be bisected it lands nothing: every task's commit is kept,
 * and its patch written out.
 */
export async function land(tasks: readonly FinishedTask[], job: Job, equipment: Equipment): Promise<Landing> {
  const ready = tasks.filter((task) => task.state === "succeeded");
  const together = job.spec.land === "together" ? reasonNotTogether(tasks) : undefined;
  if (together) return { ...nothingLanded, leftOut: new Map(ready.map((task) => [task.id, together])) };
  const merged = await merge(tasks, job, equipment);
  const checks = await checkTree(merged.tree, { job, equipment });
  const isRed = checks.some((check) => check.state === "failed");
  if (merged.tree === job.spec.base.tree || merged.landed.size === 0 || isRed) {
    return { ...nothingLanded, leftOut: merged.leftOut, checks };
  }
  const before = await landedBefore(merged.tree, job);
  const commit =
    before ??
    (await commitResult(
      merged.tree,
      ready.filter((task) => merged.landed.has(task.id)),
      { job, equipment },
    ));
  if (!before) await job.log([{ type: "merge.landed", data: { tree: merged.tree, commit } }]);
  else await job.standing.confirm();
  // Only now: what the log has taken is this owner's, and no other's result is put out of reach by it.
  await withRoom(() => keep(job.repository, `refs/sheaf/${job.id}/result`, commit), equipment);
  return { tree: merged.tree, commit, landed: merged.landed, leftOut: merged.leftOut, checks };
}

/** A process before this one may have come so far, and what it made may be published already. */
async function landedBefore(tree: string, { history, repository }: Job): Promise<string | undefined> {
  const found = history?.events.findLast((event) => event.type === "merge.landed");
  if (found?.type !== "merge.landed" || found.data.tree !== tree) return undefined;
  return (await repository.objects.info(found.data.commit)) ? found.data.commit : undefined;
}

/** All or nothing: the first task that did not deliver speaks for all. */
function reasonNotTogether(tasks: readonly FinishedTask[]): Reason | undefined {
  const short = tasks.find((task) => task.state !== "succeeded" && task.state !== "no_changes");
  if (!short) return undefined;
  return { code: "together", message: `land: together, and ${short.id} ended ${short.state}`, task: short.id };
}

interface Merged {
  tree: string;
  landed: Set<string>;
  leftOut: Map<string, Reason>;
}

async function merge(tasks: readonly FinishedTask[], job: Job, equipment: Equipment): Promise<Merged> {
  const { tree: base } = job.spec.base;
  const { clock } = equipment;
  const known = new Map(tasks.map((task) => [task.id, task]));
  const tips = tasks.flatMap((task) => tipOf(task, known));
  if (tips.length === 0) return { tree: base, landed: new Set(), leftOut: new Map() };
  const links = tasks.flatMap((task) => (task.state === "succeeded" ? task.traceparents : []));
  const span = job.tracer.start(mergeSpan(job.spec.name), { parent: job.span, links });
  const started = clock.now();
  const folded = await withRoom(() => fold(job.repository, job.spec.base, tips), equipment);
  const ms = clock.now() - started;
  span.set({ [attribute.conflicts]: folded.leftOut.length, [attribute.tree]: folded.tree });
  span.end();
  await job.log([
    ...folded.leftOut.map((conflict) => ({ type: "merge.conflicted" as const, data: conflictFact(conflict) })),
    {
      type: "merge.folded",
      data: { tree: folded.tree, folded: folded.folded, left_out: folded.leftOut.map(({ taskId }) => taskId), ms },
    },
  ]);
  const leftOut = new Map(folded.leftOut.map((conflict) => [conflict.taskId as string, conflictReason(conflict)]));
  if (job.spec.land === "together" && leftOut.size > 0) return { tree: base, landed: new Set(), leftOut };
  return { tree: folded.tree, landed: new Set<string>(folded.folded), leftOut };
}

function conflictFact({ taskId, paths, reason, hunks }: Conflict) {
  return { task_id: taskId, paths: [...paths], reason, hunks };
}

function conflictReason(conflict: Conflict): Reason {
  const { taskId, paths, reason, hunks } = conflict;
  if (paths.length === 0) {
    return { code: "needs", message: `it needs ${conflict.with.join(", ")}, which was left out`, task: taskId };
  }
  return {
    code: "conflict",
    message: `conflicts with ${describeConflict(conflict)}: ${reason}`,
    task: taskId,
    log: hunks,
  };
}

/** `part-1, part-2 in src/a.ts and 3 more` */
export function describeConflict({ with: others, paths }: Conflict): string {
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : "";
  return `${others.length > 0 ? others.join(", ") : "what was there before"} in ${paths[0]}${more}`;
}

async function commitResult(
  tree: string,
  tasks: readonly FinishedTask[],
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<string> {
  const message = commitMessage(job.spec.name, tasks, job);
  const order = { tree, parents: [job.spec.base.commit], message, at: equipment.clock.now() };
  return withRoom(async () => {
    const commit = await commitTree(job.repository, order);
    await job.standing.confirm();
    await keep(job.repository, `refs/sheaf/${job.id}/result-${job.root.epoch}`, commit);
    return commit;
  }, equipment);
}
