import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FoldResult, fold } from "../../src/merge/fold.ts";
import { type TaskId, taskId } from "../../src/protocol/ids.ts";
import { createGit } from "../../src/workspace/git.ts";
import { openRepository, type Repository } from "../../src/workspace/repository.ts";
import { listTree } from "../../src/workspace/tree.ts";
import { type PlantedFile, type PlantedTree, plant } from "../support/plant.ts";

/** A user's repository in a temporary folder, and ours beside it. */
export interface Ground {
  repository: Repository;
  directory: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openGround(objectFormat: "sha1" | "sha256" = "sha1"): Promise<Ground> {
  const directory = await mkdtemp(join(tmpdir(), "sheaf-merge-"));
  const git = createGit({ path: process.env.PATH ?? "" });
  const user = join(directory, "user");
  await mkdir(user);
  await git(["init", "--quiet", `--object-format=${objectFormat}`, user], { cwd: user });
  const gitDir = join(user, ".git");
  const tree = (await git(["mktree"], { gitDir, input: "" })).stdout.toString().trim();
  const commit = (await git(["commit-tree", tree, "-m", "empty"], { gitDir })).stdout.toString().trim();
  await git(["update-ref", "HEAD", commit], { gitDir });
  const repository = await openRepository(user, { home: join(directory, "home"), git });
  return {
    repository,
    directory,
    [Symbol.asyncDispose]: async () => {
      await repository.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A tree written as path -> text, or text with a mode in front: `link:target`, `exec:text`, `module:<id>`. */
export type Sketch = Readonly<Record<string, string | Uint8Array>>;

const modes: Readonly<Record<string, string>> = { link: "120000", exec: "100755", module: "160000" };

export function sketch(files: Sketch): PlantedTree {
  return new Map(Object.entries(files).map(([path, content]) => [path, fileOf(content)]));
}

function fileOf(content: string | Uint8Array): PlantedFile {
  const [, kind, rest] = (typeof content === "string" && /^(link|exec|module):([\s\S]*)$/.exec(content)) || [];
  return kind && rest !== undefined ? { mode: modes[kind] ?? "100644", content: rest } : { content };
}

export function named(index: number): TaskId {
  return taskId.parse(`part-${index}`);
}

export interface Folded extends FoldResult {
  /** Path -> text (with the prefix of its mode) of the folded tree; paths as latin1. */
  files: Record<string, string>;
  out: string[];
}

/** Folds tasks part-1, part-2, ... that each turned `base` into one of `results`. */
export async function foldSketches(
  { repository }: Ground,
  base: Sketch,
  results: readonly Sketch[],
  options: { isRaw?: boolean } = {},
): Promise<Folded> {
  const [root = { commit: "", tree: "" }, ...tips] = await plant(repository, [base, ...results].map(sketch), options);
  const order = tips.map(({ tree }, index) => ({ taskId: named(index + 1), ordinal: index, base: root.tree, tree }));
  const folded = await fold(repository, root, order);
  return { ...folded, files: await filesOf(repository, folded.tree), out: folded.leftOut.map((left) => left.taskId) };
}

export async function filesOf(repository: Repository, tree: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await listTree(repository, tree)) {
    const kind = Object.entries(modes).find(([, mode]) => mode === entry.mode)?.[0];
    const text = kind === "module" ? entry.oid : (await repository.objects.read(entry.oid))?.toString("latin1");
    files[entry.path] = kind ? `${kind}:${text}` : (text ?? "");
  }
  return files;
}
