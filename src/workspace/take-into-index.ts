import { access, constants } from "node:fs/promises";
import { type RawPath, rawOf, toBytes } from "./raw-path.ts";
import type { Refused } from "./walk.ts";
import type { OpenWorkspace } from "./workspace.ts";

/**
 * Brings a workspace's index up to its disk. Git's index finds what changed (stat data, and contents where the clock
 * leaves a doubt); only that is read, and stored without filter or line-ending conversion.
 */
export async function takeIntoIndex(
  open: OpenWorkspace,
  present: readonly RawPath[],
): Promise<{ versions: Map<RawPath, { mode: string; oid: string }>; refused: Refused[] }> {
  const onDisk = new Set(present);
  await forget(
    open,
    [...open.held].filter((path) => !onDisk.has(path)),
  );
  const refused: Refused[] = [];
  try {
    await update(open, present);
  } catch (cause) {
    // Git stops at the first file it may not read; which ones those are is asked only then.
    for (const path of present) if (!(await isReadable(open.root, path))) refused.push({ path, reason: "unreadable" });
    if (refused.length === 0) throw cause;
    const unreadable = new Set(refused.map(({ path }) => path));
    await update(
      open,
      present.filter((path) => !unreadable.has(path)),
    );
  }
  return { versions: await listIndex(open), refused };
}

async function forget(open: OpenWorkspace, gone: readonly RawPath[]): Promise<void> {
  if (gone.length > 0) await run(open, ["update-index", "-z", "--force-remove", "--stdin"], gone);
}

async function update(open: OpenWorkspace, paths: readonly RawPath[]): Promise<void> {
  if (paths.length > 0) await run(open, ["update-index", "-z", "--add", "--replace", "--remove", "--stdin"], paths);
}

async function listIndex(open: OpenWorkspace): Promise<Map<RawPath, { mode: string; oid: string }>> {
  const text = (await run(open, ["ls-files", "-s", "-z"], [])).toString("latin1");
  const versions = new Map<RawPath, { mode: string; oid: string }>();
  for (const line of text.split("\0").slice(0, -1)) {
    const tab = line.indexOf("\t");
    const [mode = "", oid = ""] = line.slice(0, tab).split(" ");
    versions.set(rawOf(line.slice(tab + 1)), { mode, oid });
  }
  return versions;
}

async function run(open: OpenWorkspace, args: readonly string[], paths: readonly RawPath[]): Promise<Buffer> {
  const { repository, root, indexFile } = open;
  const input = Buffer.from(paths.map((path) => `${path}\0`).join(""), "latin1");
  const where = { gitDir: repository.gitDir, workTree: root, indexFile, cwd: root };
  return (await repository.git(args, { ...where, input })).stdout;
}

function isReadable(root: string, path: RawPath): Promise<boolean> {
  return access(Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]), constants.R_OK).then(
    () => true,
    (cause: NodeJS.ErrnoException) => cause.code !== "EACCES" && cause.code !== "EPERM",
  );
}
