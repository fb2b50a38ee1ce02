import { lstat, mkdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { fileHolds } from "../../workspace/bring-secret.ts";
import type { Git, GitOptions } from "../../workspace/git.ts";
import { writeIndex } from "../../workspace/index-file.ts";
import { quoted, type RawPath, rawOf, toBytes, toRaw, toShown } from "../../workspace/raw-path.ts";
import type { Repository } from "../../workspace/repository.ts";
import { sweep } from "../../workspace/sweep.ts";
import { unknownTo } from "../../workspace/unknown-files.ts";
import type { Leftover } from "./leftover.ts";

/** Of a file, or of its name. */
type IsSecret = (text: string | Buffer) => boolean;

/** The tree that a left workspace makes of its base. Its new objects are in `scratch`, and go with that. */
export interface LeftTree {
  /** Reads and writes those objects, too. */
  repository: Repository;
  tree: string;
  /** Files that hold a secret: they are in it as its base has them. */
  withheld: RawPath[];
}

export async function treeOfLeftover(
  root: string,
  { baseTree, written, deleted }: Leftover,
  { repository, scratch, isSecret }: { repository: Repository; scratch: string; isSecret: IsSecret },
): Promise<LeftTree> {
  // What could hold git up, or lead it astray.
  await sweep(root, { ours: new Set(), settled: new Set() });
  const indexFile = join(scratch, "index");
  await writeIndex(repository, baseTree, indexFile);
  const own = await withOwnObjects(repository, join(scratch, "objects"));
  const place: GitOptions = { gitDir: own.gitDir, workTree: root, cwd: root, indexFile };
  const { stdout } = await own.git(["ls-files", "--modified", "-z"], place);
  const changed = stdout.toString("latin1").split("\0").slice(0, -1).map(rawOf);
  const fresh = await unknownTo(own, { root, indexFile, which: "not ignored" });
  const there = await filesAmong(root, new Set([...changed, ...fresh, ...written]));
  const withheld = await secretAmong(root, there, isSecret);
  for (const path of withheld) there.delete(path);
  const back = await filesAmong(root, deleted);
  const gone = [...deleted].filter((path) => !back.has(path));
  await own.git(["update-index", "--add", "--replace", "-z", "--stdin"], { ...place, input: listed(there) });
  await own.git(["update-index", "--force-remove", "-z", "--stdin"], { ...place, input: listed(gone) });
  const tree = await own.git(["write-tree", "--missing-ok"], place);
  return { repository: own, tree: tree.stdout.toString().trim(), withheld };
}

/** The same repository, to which new objects are added elsewhere. */
async function withOwnObjects(repository: Repository, objects: string): Promise<Repository> {
  await mkdir(objects, { recursive: true });
  const { git, gitDir } = repository;
  const env = {
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(toRaw(join(gitDir, "objects"))),
  };
  const call = (args: readonly string[], options: GitOptions) => git(args, { ...options, env });
  const start: Git["start"] = (args, options) => git.start(args, { ...options, env });
  return { ...repository, git: Object.assign(call, { start }) };
}

/** A folder that stands where the base has a file, or a submodule, is not for the index. */
async function filesAmong(root: string, paths: ReadonlySet<RawPath>): Promise<Set<RawPath>> {
  const found = new Set<RawPath>();
  for (const path of paths) {
    const stats = await lstat(inside(root, path)).catch(() => undefined);
    if (stats?.isFile() || stats?.isSymbolicLink()) found.add(path);
  }
  return found;
}

async function secretAmong(root: string, paths: ReadonlySet<RawPath>, isSecret: IsSecret): Promise<RawPath[]> {
  const found: RawPath[] = [];
  for (const path of paths) {
    const at = inside(root, path);
    const isLink = (await lstat(at)).isSymbolicLink();
    const holds = isLink ? isSecret(await readlink(at, { encoding: "buffer" })) : await fileHolds(at, isSecret);
    if (holds || isSecret(toShown(path))) found.push(path);
  }
  return found;
}

function inside(root: string, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]);
}

function listed(paths: Iterable<RawPath>): Buffer {
  return toBytes([...paths].map((path) => `${path}\0`).join(""));
}
