import { type Conflict, fold } from "../merge/fold.ts";
import type { Reason } from "../protocol/result.ts";
import { attribute, mergeSpan } from "../telemetry/semconv.ts";
import { commitTree, keep } from "../workspace/tree.ts";
import { checkTree } from "./check-tree.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { type Landing, nothingLanded } from "./landing.ts";
import type { FinishedTask } from "./run-task.ts";

/**
 * Many task trees become one tree, and that tree is checked before anything is called landed. Until a red tree can
 * be bisected it lands nothing: every task's commit is kept, and its patch written out.
 */
export async function land(tasks: readonly FinishedTask[], job: Job, equipment: Equipment): Promise<Landing> {
  const ready = tasks.filter((task) => task.state === "succeeded");
  const together = job.spec.land === "together" ? reasonNotTogether(tasks) : undefined;
  if (together) return { ...nothingLanded, leftOut: new Map(ready.map((task) => [task.id, together])) };
  const merged = await merge(ready, job, equipment);
  const checks = await checkTree(merged.tree, { hasChanged: merged.tree !== job.spec.base.tree }, { job, equipment });
  const isRed = checks.some((check) => check.state === "failed");
  if (merged.tree === job.spec.base.tree || merged.landed.size === 0 || isRed) {
    return { ...nothingLanded, leftOut: merged.leftOut, checks };
  }
  const commit = await commitResult(
    merged.tree,
    ready.filter((task) => merged.landed.has(task.id)),
    { job, equipment },
  );
  await job.log([{ type: "merge.landed", data: { tree: merged.tree, commit } }]);
  return { tree: merged.tree, commit, landed: merged.landed, leftOut: merged.leftOut, checks };
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

async function merge(ready: readonly FinishedTask[], job: Job, { clock }: Equipment): Promise<Merged> {
  const { tree: base } = job.spec.base;
  if (ready.length === 0) return { tree: base, landed: new Set(), leftOut: new Map() };
  const links = ready.flatMap((task) => task.traceparents);
  const span = job.tracer.start(mergeSpan(job.spec.name), { parent: job.span, links });
  const started = clock.now();
  const tips = ready.flatMap(({ id, ordinal, tree }) => (tree ? [{ taskId: id, ordinal, base, tree }] : []));
  const folded = await fold(job.repository, job.spec.base, tips);
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
  const [first] = conflict.paths;
  const more = conflict.paths.length > 1 ? ` and ${conflict.paths.length - 1} more` : "";
  const others = conflict.with.length > 0 ? conflict.with.join(", ") : "what was there before";
  const message = `conflicts with ${others} in ${first}${more}: ${conflict.reason}`;
  return { code: "conflict", message, task: conflict.taskId, log: conflict.hunks };
}

async function commitResult(
  tree: string,
  tasks: readonly FinishedTask[],
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<string> {
  const agents = new Set(
    tasks.flatMap((task) => task.steps.flatMap((step) => (step.kind === "agent" ? [step.agent.name] : []))),
  );
  const trailers = [
    ...[...agents].map((agent) => `Assisted-by: ${agent}`),
    `Sheaf-Job: ${job.handle}`,
    ...tasks.map((task) => `Sheaf-Task: ${task.id}`),
  ];
  const message = `${job.spec.name}\n\n${trailers.join("\n")}\n`;
  const order = { tree, parents: [job.spec.base.commit], message, at: equipment.clock.now() };
  const commit = await commitTree(job.repository, order);
  await keep(job.repository, `refs/sheaf/${job.id}/result`, commit);
  return commit;
}
