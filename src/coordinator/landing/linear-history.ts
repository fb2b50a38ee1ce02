import { fold } from "../../merge/fold.ts";
import { commitTree } from "../../workspace/tree.ts";
import type { Around } from "../commands/setup.ts";
import type { FinishedTask } from "../result/finished-task.ts";
import type { Start } from "../tasks/start-of.ts";
import { commitMessage } from "./commit-message.ts";

/**
 * A commit for each landed task, one on the other, for people who read history. The last one holds exactly the tree
 * that was checked; a task that has nothing of its own to add at its place is named in the commit that follows.
 */
export async function linearHistory(
  tasks: readonly FinishedTask[],
  { ground, tree }: { ground: Start; tree: string },
  around: Around,
): Promise<string> {
  let at: Link = { ...ground, parent: ground.commit, tasks: [] };
  let waiting: FinishedTask[] = [];
  for (const task of tasks) {
    waiting.push(task);
    const next = await treeWith(task, at, around);
    if (next === at.tree) continue;
    at = await link(waiting, { tree: next, parent: at.commit }, around);
    waiting = [];
  }
  const isDone = at.tree === tree && waiting.length === 0;
  if (isDone) return at.commit;
  return (await link([...at.tasks, ...waiting], { tree, parent: at.parent }, around)).commit;
}

/** The newest commit, what it stands on, and whose work it is. */
interface Link extends Start {
  parent: string;
  tasks: readonly FinishedTask[];
}

/** What one task's own change makes of a tree; the tree itself where the change cannot be told apart there. */
async function treeWith(task: FinishedTask, at: Start, { job }: Around): Promise<string> {
  if (task.tree === undefined) return at.tree;
  const tip = { taskId: task.id, ordinal: task.ordinal, base: task.start.tree, tree: task.tree };
  return (await fold(job.repository, at, [tip])).tree;
}

async function link(
  tasks: readonly FinishedTask[],
  { tree, parent }: { tree: string; parent: string },
  { job, equipment }: Around,
): Promise<Link> {
  const subject = tasks.length === 1 ? (tasks[0]?.title ?? job.spec.name) : job.spec.name;
  const message = commitMessage(subject, tasks, job);
  const commit = await commitTree(job.repository, { tree, parents: [parent], message, at: equipment.clock.now() });
  return { tree, commit, parent, tasks };
}
