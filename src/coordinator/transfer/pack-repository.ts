import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../protocol/failure.ts";
import { type Git, type RunningGit, refused, unstartable } from "../../workspace/git.ts";
import type { PackedRepository } from "./manifest.ts";
import type { ArchiveWriter } from "./write-archive.ts";

/**
 * A bare repository of ours as its refs and one pack. What it borrows from the user's repository is the user's and not in
 * it, unless `isWhole` asks for that, too.
 */
export async function packRepository(
  wanted: { path: string; home: string; entry: string; isWhole: boolean; isKept(ref: string): boolean },
  git: Git,
  archive: ArchiveWriter,
): Promise<PackedRepository> {
  const gitDir = join(wanted.home, wanted.path);
  const format = await git(["rev-parse", "--show-object-format"], { gitDir });
  const listed = await git(["for-each-ref", "--format=%(objectname) %(refname)"], { gitDir });
  const all = listed.stdout.toString().split("\n").filter(Boolean);
  const refs = all
    .map((line) => ({ oid: line.slice(0, line.indexOf(" ")), name: line.slice(line.indexOf(" ") + 1) }))
    .filter(({ name }) => wanted.isKept(name));
  const head = await git(["symbolic-ref", "-q", "HEAD"], { gitDir, accept: [0, 1] });
  const pack = packOf(refs, { gitDir, isWhole: wanted.isWhole }, git);
  const added = await archive.add(wanted.entry, pack.bytes);
  return {
    path: wanted.path,
    object_format: format.stdout.toString().trim() === "sha256" ? "sha256" : "sha1",
    head: head.stdout.toString().trim() || "refs/heads/none",
    refs,
    objects: pack.count(),
    ...added,
  };
}

interface Pack {
  bytes: AsyncIterable<Uint8Array>;
  /** How many objects its header told of, once it was read. */
  count(): number;
}

function packOf(
  refs: readonly { oid: string }[],
  { gitDir, isWhole }: { gitDir: string; isWhole: boolean },
  git: Git,
): Pack {
  const args = ["pack-objects", "--revs", "--stdout", "-q", ...(isWhole ? [] : ["--local"])];
  let count = 0;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    const child = git.start(["-c", "pack.threads=1", "-c", "pack.windowMemory=256m", ...args], { gitDir });
    const ended = endOf(child);
    child.stdin.on("error", () => {});
    child.stdin.end(refs.map(({ oid }) => `${oid}\n`).join(""));
    let head = Buffer.alloc(0);
    for await (const chunk of child.stdout) {
      if (head.length < headerBytes) head = Buffer.concat([head, chunk as Buffer]).subarray(0, headerBytes);
      yield chunk as Buffer;
    }
    const { code, stderr } = await ended;
    if (code !== 0) throw unreadable(gitDir, refused(args, { code, stdout: Buffer.alloc(0), stderr }));
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

function unreadable(gitDir: string, cause: Fault): Fault {
  return new Fault(cause.code, `${gitDir} cannot be packed: ${cause.message}`, {
    remedy:
      "where the repository that it borrows objects from was moved, move it back; `sheaf gc` takes what nobody needs",
    cause,
  });
}

/** A folder that git takes for a bare repository, and no link. */
export function isBare(path: string): Promise<boolean> {
  return lstat(join(path, "HEAD")).then(
    (found) => found.isFile(),
    () => false,
  );
}
