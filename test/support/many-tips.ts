import type { Tip } from "../../src/merge/fold.ts";
import { taskId } from "../../src/protocol/ids.ts";
import type { Repository } from "../../src/workspace/repository.ts";

/** Many finished tasks on one base, written by one `git fast-import`: for benchmarks and for tests of size. */
export interface ManyTips {
  base: { commit: string; tree: string };
  tips: readonly Tip[];
  /** The commit of each tip, its parent the base; also at refs/heads/tip-<ordinal>. */
  commits: readonly string[];
}

/**
 * `tasks` tasks that each change `filesEach` files of their own; the base holds all of these and `untouched` more.
 * Every tenth changed file is new and every twentieth is deleted, as in real refactors.
 */
export async function manyTips(
  repository: Pick<Repository, "git" | "gitDir" | "objects">,
  size: { tasks: number; filesEach: number; untouched: number },
): Promise<ManyTips> {
  const lines: string[] = ["blob\nmark :1\ndata 7\nbefore\n\n", "blob\nmark :2\ndata 6\nafter\n\n"];
  lines.push(commitOf("base", 3));
  for (let file = 0; file < size.untouched; file++) lines.push(`M 100644 :1 ${pathOf("rest", file)}\n`);
  for (let task = 0; task < size.tasks; task++) {
    for (let file = 0; file < size.filesEach; file++) {
      if (!isNew(task, file)) lines.push(`M 100644 :1 ${pathOf(`part-${task}`, file)}\n`);
    }
  }
  for (let task = 0; task < size.tasks; task++) {
    lines.push(`blob\nmark :${1_000_000 + task}\ndata <<END\nafter ${task}\nEND\n`);
    lines.push(commitOf(`tip-${task}`, 10 + task), "from :3\n");
    for (let file = 0; file < size.filesEach; file++) lines.push(changeOf(task, file));
  }
  lines.push("get-mark :3\n", ...Array.from({ length: size.tasks }, (_, task) => `get-mark :${10 + task}\n`), "done\n");
  const { gitDir } = repository;
  const imported = await repository.git(["fast-import", "--quiet", "--force", "--done"], {
    gitDir,
    input: lines.join(""),
  });
  const [base = "", ...commits] = imported.stdout.toString().trim().split("\n");
  const [baseTree = "", ...trees] = await Promise.all(
    [base, ...commits].map(async (commit) => (await repository.objects.info(`${commit}^{tree}`))?.oid ?? ""),
  );
  const tips = trees.map((tree, ordinal) => ({
    taskId: taskId.parse(`part-${ordinal + 1}`),
    ordinal,
    base: baseTree,
    tree,
  }));
  return { base: { commit: base, tree: baseTree }, tips, commits };
}

function commitOf(branch: string, mark: number): string {
  return `commit refs/heads/${branch}\nmark :${mark}\ncommitter T <t@t> 1700000000 +0000\ndata 0\n`;
}

function pathOf(part: string, file: number): string {
  return `src/${part}/group-${file % 7}/file-${file}.js`;
}

function isNew(task: number, file: number): boolean {
  return (task + file) % 10 === 0;
}

function changeOf(task: number, file: number): string {
  const path = pathOf(`part-${task}`, file);
  return (task + file) % 20 === 5 ? `D ${path}\n` : `M 100644 :${1_000_000 + task} ${path}\n`;
}
