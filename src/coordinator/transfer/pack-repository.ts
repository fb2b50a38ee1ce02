import { lstat, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../protocol/failure.ts";
import { type Git, type GitOptions, type RunningGit, refused, unstartable } from "../../workspace/git.ts";
import { borrowed, type PackedRepository } from "./manifest.ts";
import type { ArchiveWriter } from "./write-archive.ts";

/**
 * A bare repository of ours as its refs and one pack. What it borrows from the user's repository is the user's and not in
 * it, unless `isWhole` asks for that, too.
 */
interface Wanted {
  /** In the data folder `home`. */
  path: string;
  home: string;
  /** Its name in the archive. */
  entry: string;
  isWhole: boolean;
  isKept(ref: string): boolean;
}

export async function packRepository(wanted: Wanted, git: Git, archive: ArchiveWriter): Promise<PackedRepository> {
  const gitDir = join(wanted.home, wanted.path);
  const format = await git(["rev-parse", "--show-object-format"], { gitDir });
  const listed = await git(["for-each-ref", "--format=%(objectname) %(refname)"], { gitDir });
  const all = listed.stdout.toString().split("\n").filter(Boolean);
  const refs = all
    .map((line) => ({ oid: line.slice(0, line.indexOf(" ")), name: line.slice(line.indexOf(" ") + 1) }))
    .filter(({ name }) => wanted.isKept(name));
  const head = await git(["symbolic-ref", "-q", "HEAD"], { gitDir, accept: [0, 1] });
  const pack = await addPack(wanted, refs, { git, archive });
  return {
    path: wanted.path,
    object_format: format.stdout.toString().trim() === "sha256" ? "sha256" : "sha1",
    head: head.stdout.toString().trim() || "refs/heads/none",
    refs,
    ...(await borrowedBy(gitDir)),
    ...pack,
  };
}

/** Where what it borrows is gone, in whole or in part, there is no way along the refs: all that it holds itself is packed. */
async function addPack(
  { path, home, entry, isWhole }: Wanted,
  refs: PackedRepository["refs"],
  { git, archive }: { git: Git; archive: ArchiveWriter },
): Promise<Pick<PackedRepository, "entry" | "bytes" | "sha256" | "objects" | "is_broken">> {
  const gitDir = join(home, path);
  const options = ["pack-objects", "--stdout", "-q", "--revs", ...(isWhole ? [] : ["--local"])];
  const reachable = packOf(options, { gitDir, input: refs.map(({ oid }) => `${oid}\n`).join("") }, git);
  const added = await archive.add(entry, reachable.bytes).catch((thrown: unknown) => {
    if (thrown instanceof Fault && thrown.code === "git") return undefined;
    throw thrown;
  });
  if (added) return { ...added, objects: reachable.count() };
  return withOwnObjects(gitDir, async (env) => {
    const list = ["cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)"];
    const { stdout } = await git(list, { gitDir, env });
    const held = packOf(["pack-objects", "--stdout", "-q"], { gitDir, env, input: stdout }, git);
    return { ...(await archive.add(entry, held.bytes)), objects: held.count(), is_broken: true };
  });
}

/** Shows git the repository's own objects, and none that it borrows. */
async function withOwnObjects<T>(gitDir: string, work: (env: Record<string, string>) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(gitDir, "scratch-"));
  try {
    const objects = join(gitDir, "objects");
    for (const name of await readdir(objects)) {
      if (/^(?:[0-9a-f]{2}|pack)$/.test(name)) await symlink(join(objects, name), join(scratch, name));
    }
    return await work({ GIT_OBJECT_DIRECTORY: scratch });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function borrowedBy(gitDir: string): Promise<{ borrows?: string }> {
  const text = await readFile(join(gitDir, "objects", "info", "alternates"), "utf8").catch(() => "");
  const [line = ""] = text.split("\n");
  return borrowed.safeParse(line).success ? { borrows: line } : {};
}

interface Pack {
  bytes: AsyncIterable<Uint8Array>;
  /** How many objects its header told of, once it was read. */
  count(): number;
}

function packOf(args: readonly string[], { input = "", ...call }: GitOptions, git: Git): Pack {
  let count = 0;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    const child = git.start(["-c", "pack.threads=1", "-c", "pack.windowMemory=256m", ...args], call);
    const ended = endOf(child);
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    let head = Buffer.alloc(0);
    for await (const chunk of child.stdout) {
      if (head.length < headerBytes) head = Buffer.concat([head, chunk as Buffer]).subarray(0, headerBytes);
      yield chunk as Buffer;
    }
    const { code, stderr } = await ended;
    if (code !== 0) throw refused(args, { code, stdout: Buffer.alloc(0), stderr });
    count = head.readUInt32BE(8);
  }
  return { bytes: bytes(), count: () => count };
}

/** gitformat-pack: a signature, a version, the number of objects. */
const headerBytes = 12;

function endOf(child: RunningGit): Promise<{ code: number; stderr: string }> {
  const said: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.length < 16 && said.push(chunk));
  const ended = new Promise<{ code: number; stderr: string }>((resolve, reject) => {
    child.on("error", (cause) => reject(unstartable(cause)));
    child.on("close", (code) => resolve({ code: code ?? -1, stderr: Buffer.concat(said).toString() }));
  });
  ended.catch(() => {});
  return ended;
}

/** A folder that git takes for a bare repository, and no link. */
export function isBare(path: string): Promise<boolean> {
  return lstat(join(path, "HEAD")).then(
    (found) => found.isFile(),
    () => false,
  );
}
