import { lstat, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addRecord } from "./checkout.ts";
import { writeIndex } from "./index-file.ts";
import { lookAt } from "./looks.ts";
import { learn, type OpenWorkspace, put } from "./open-workspace.ts";
import { type Overlooked, overlooking } from "./overlooked.ts";
import { type RawPath, toBytes } from "./raw-path.ts";
import { removeEntry } from "./remove-folder.ts";
import { takeRaw } from "./take-tree.ts";

/**
 * Makes a workspace a whole checkout, so that commands find in it what they would find in a clone: the rest of the base
 * comes in beside what an agent has edited, and what it deleted stays deleted. What nobody in there may read stays out,
 * and is not taken for deleted.
 */
export interface Inflation {
  isWithheld(path: RawPath): boolean;
  /** What HEAD is there. Without one there is no `.git`, and no way to what git keeps. */
  commit(): Promise<string | undefined>;
  /** Brings in what the base does not hold, such as installed dependencies. */
  prepare(root: string): Promise<void>;
}

export interface Inflated {
  overlooked(): Promise<Overlooked>;
  /** Puts `.git` back where a command could take it away. */
  restoreGit(): Promise<void>;
  dispose(): Promise<void>;
}

export async function inflate(open: OpenWorkspace, wanted: Inflation): Promise<Inflated> {
  const { repository, root, listing } = open;
  const all = [...listing.entries.values()];
  for (const { path } of all) if (wanted.isWithheld(path)) open.withheld.add(path);
  await withhold(open);
  await bringRest(open);
  const indexFile = `${open.indexFile}-full`;
  await writeIndex(repository, listing.tree, indexFile);
  const commit = await wanted.commit();
  const git = commit === undefined ? undefined : await addGit(open, commit);
  const place = { root, indexFile, hasGit: git !== undefined };
  try {
    const overlooked = await overlooking(repository, place, () => wanted.prepare(root));
    await git?.refresh();
    return { overlooked, restoreGit: async () => git?.restore(), dispose: async () => git?.dispose() };
  } catch (cause) {
    await git?.dispose();
    throw cause;
  }
}

/** What an agent has changed without having read it is its own, and stays. */
async function withhold(open: OpenWorkspace): Promise<void> {
  const held = [...open.withheld].filter((path) => open.held.has(path));
  if (held.length === 0) return;
  const { touched } = await takeRaw(open);
  const changed = new Set(touched.map(({ path }) => path));
  for (const path of held) {
    if (changed.has(path)) continue;
    await removeEntry(inside(open.root, path));
    open.held.delete(path);
  }
}

async function bringRest(open: OpenWorkspace): Promise<void> {
  const wanted = [...open.listing.entries.values()].filter(
    ({ path }) => !open.held.has(path) && !open.withheld.has(path),
  );
  const there = new Set<RawPath>();
  const paths = wanted.map(({ path }) => path);
  await lookAt(open.root, paths, (path) => there.add(path));
  for (const path of there) open.held.add(path);
  const missing = wanted.filter(({ path }) => !there.has(path));
  for (const { path, mode } of missing) {
    if (mode === "160000") await mkdir(inside(open.root, path), { recursive: true });
  }
  const files = missing.filter(({ mode }) => mode !== "160000");
  await put(open, files);
  await learn(open, files);
}

/** A worktree of our own repository, whose index says how the files of that commit look now. */
async function addGit({ repository, root }: OpenWorkspace, commit: string) {
  const { git, gitDir } = repository;
  const record = await addRecord(gitDir, root, commit);
  const where = { gitDir: record, workTree: root, cwd: root };
  await git(["read-tree", commit], where);
  const pointer = join(root, ".git");
  const text = await readFile(pointer, "utf8");
  return {
    // 1: some files differ.
    refresh: () => git(["update-index", "-q", "--refresh"], { ...where, accept: [0, 1] }),
    async restore() {
      const stats = await lstat(pointer).catch(() => undefined);
      if (stats?.isFile() && (await readFile(pointer, "utf8")) === text) return;
      await removeEntry(Buffer.from(pointer));
      await writeFile(pointer, text, { flag: "wx" });
    },
    dispose: () => rm(record, { recursive: true, force: true }),
  };
}

function inside(root: string, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]);
}
