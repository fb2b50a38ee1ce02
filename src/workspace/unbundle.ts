import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { Fault } from "../protocol/failure.ts";
import { type Git, refused } from "./git.ts";
import { isThere, makeBare } from "./make-bare.ts";

/**
 * A git bundle from outside, as a bare repository. Only its pack is used: the names of its refs never reach git, every
 * object is looked at as `git fsck` would before one is kept, and what is wrong with one refuses them all.
 */
export interface UnbundleOrder {
  /** The bundle, a whole file. */
  file: string;
  /** Where the bare repository is to be; made when it is not there. */
  directory: string;
  /** The commit that the bundle is to hold, with all it is made of. */
  commit: string;
  signal?: AbortSignal | undefined;
}

/** Throws Fault `bundle` for what is no such bundle. */
export async function unbundle(git: Git, { file, directory, commit, signal }: UnbundleOrder): Promise<void> {
  const { packStart, objectFormat } = await readHeader(file);
  const end = signal ? { signal } : {};
  if (!(await isThere(directory))) {
    await makeBare(git, directory, { objectFormat }, async (gitDir) => {
      await indexPack(git, gitDir, { file, packStart, ...end });
      await requireWhole(git, gitDir, commit, end);
      // A branch, so that the commit is what HEAD names and a collection keeps it.
      await git(["update-ref", "refs/heads/bundle", commit], { gitDir, ...end });
      await git(["symbolic-ref", "HEAD", "refs/heads/bundle"], { gitDir, ...end });
    });
  }
  await requireWhole(git, directory, commit, end);
}

/**
 * What a server made of `base`, into a repository that has that commit. Throws Fault `bundle` for what is not `commit`
 * and all that it is made of.
 */
export async function takeResult(
  git: Git,
  { file, gitDir, base, commit }: { file: string; gitDir: string; base: string; commit: string },
): Promise<void> {
  const { packStart } = await readHeader(file, [base]);
  await indexPack(git, gitDir, { file, packStart, isThin: true });
  await requireWhole(git, gitDir, commit, {}, base);
}

/** More refs than this is no bundle of one commit. */
const mostHeaderBytes = 1_048_576;

/** gitformat-bundle: a signature, capabilities, prerequisites (`-`), refs, an empty line, a pack. */
async function readHeader(
  file: string,
  held: readonly string[] = [],
): Promise<{ packStart: number; objectFormat: "sha1" | "sha256" }> {
  const { size } = await stat(file);
  const head = Buffer.alloc(Math.min(size, mostHeaderBytes));
  const handle = await open(file);
  try {
    await handle.read(head, 0, head.length, 0);
  } finally {
    await handle.close();
  }
  const end = head.indexOf("\n\n");
  const [signature = "", ...lines] = head.subarray(0, Math.max(end, 0)).toString("latin1").split("\n");
  if (end < 0 || !/^# v[23] git bundle$/.test(signature)) throw notOne("it does not begin as one");
  if (head.subarray(end + 2, end + 6).toString("latin1") !== "PACK") throw notOne("it holds no pack");
  const odd = lines.find((line) => !/^(@object-format=sha(1|256)$|[0-9a-f]{40,64} )/.test(line));
  if (odd?.startsWith("-") && !held.includes(odd.slice(1).split(" ", 1)[0] ?? ""))
    throw notOne("it needs commits that it does not hold; make it of the whole history");
  if (odd !== undefined && !odd.startsWith("-")) throw notOne("its header says what this cannot read");
  return { packStart: end + 2, objectFormat: lines.includes("@object-format=sha256") ? "sha256" : "sha1" };
}

/**
 * Old and honest histories hold these; none of them changes what a checkout would write or run. All that does (a path
 * such as `.git`, a .gitmodules that would run something) stays an error.
 */
const tolerated = [
  "badDate",
  "badEmail",
  "badName",
  "badTimezone",
  "missingEmail",
  "missingNameBeforeEmail",
  "missingSpaceBeforeDate",
  "missingSpaceBeforeEmail",
  "missingTaggerEntry",
  "badTagName",
  "zeroPaddedDate",
  "zeroPaddedFilemode",
];
/** Of the pack as it is sent; what it unpacks to is held by the limit on the bundle and git's own. */
const mostMemory = ["-c", "pack.windowMemory=256m", "-c", "core.bigFileThreshold=32m", "-c", "pack.threads=1"];

async function indexPack(
  git: Git,
  gitDir: string,
  { file, packStart, isThin, signal }: { file: string; packStart: number; isThin?: boolean; signal?: AbortSignal },
): Promise<void> {
  const strict = `--strict=${tolerated.map((id) => `${id}=ignore`).join(",")}`;
  const args = [...mostMemory, "index-pack", "--stdin", ...(isThin ? ["--fix-thin"] : []), strict];
  const child = git.start(args, { gitDir, ...(signal ? { signal } : {}) });
  const said: Buffer[] = [];
  child.stdout.resume();
  child.stderr.on("data", (chunk: Buffer) => said.length < 16 && said.push(chunk));
  const code = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exit) => resolve(exit ?? -1));
  });
  // git may leave before it has read everything; its exit code says why.
  await pipeline(createReadStream(file, { start: packStart }), child.stdin).catch(() => {});
  if ((await code) === 0) return;
  signal?.throwIfAborted();
  const output = { code: await code, stdout: Buffer.alloc(0), stderr: Buffer.concat(said).toString() };
  const fault = refused(args, output);
  if (fault.code !== "git") throw fault;
  const why = output.stderr.trim().split("\n").at(0)?.slice(0, 300) ?? "";
  throw notOne(`git does not take its objects: ${why}`);
}

async function requireWhole(
  git: Git,
  gitDir: string,
  commit: string,
  end: { signal?: AbortSignal },
  base?: string,
): Promise<void> {
  const walk = [
    "rev-list",
    "--objects",
    "--quiet",
    "--end-of-options",
    `${commit}^{commit}`,
    ...(base ? [`^${base}`] : []),
  ];
  const { code } = await git(walk, { gitDir, accept: [0, 1, 128], ...end });
  if (code !== 0) throw notOne(`commit ${commit} is not in it, or not with all that it is made of`);
}

function notOne(why: string): Fault {
  return new Fault("bundle", `the bundle cannot be used: ${why}`, {
    remedy: "make it with: git bundle create FILE REF, where REF is the branch to work on",
  });
}
