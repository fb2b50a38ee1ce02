import { chmod, lstat, mkdir, readdir, rename, rm, rmdir, unlink } from "node:fs/promises";

/** Removes whatever stands at a path, a link and never what it points to; nothing is no mistake. */
export async function removeEntry(at: Buffer): Promise<void> {
  const stats = await lstat(at).catch(() => undefined);
  if (stats) await (stats.isDirectory() ? removeFolder(at) : unlink(at));
}

/**
 * Removes a folder of ours with all that is in it, also where a command took the right to write away, or nested folders
 * until no path is long enough for them.
 */
export async function removeFolder(directory: string | Buffer): Promise<void> {
  const top = Buffer.from(directory);
  // A link in its place is removed itself, and never followed.
  if ((await lstat(top).catch(() => undefined))?.isDirectory() && (await isRemovedAtOnce(top))) return;
  for (let tries = mostTries; tries > 0; tries--) {
    const refusal = await rm(top, { recursive: true, force: true, maxRetries: 3 }).then(() => undefined, refusalOf);
    if (refusal === undefined) return;
    await (refusal === "ENAMETOOLONG" ? shorten(top) : makeWritable(top));
  }
  await rm(top, { recursive: true, force: true });
}

/** As it mostly is, nothing is in the way: then no entry is asked what it is, which `rm` does of each. */
function isRemovedAtOnce(folder: Buffer): Promise<boolean> {
  return removeAll(folder).then(
    () => true,
    () => false,
  );
}

async function removeAll(folder: Buffer): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, encoding: "buffer" })) {
    const at = Buffer.concat([folder, Buffer.from("/"), entry.name]);
    await (entry.isDirectory() ? removeAll(at) : unlink(at));
  }
  await rmdir(folder);
}

/** What can be helped; anything else is thrown. */
function refusalOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (["EACCES", "EPERM", "ENAMETOOLONG", "ENOTEMPTY", "EBUSY"].includes(code)) return code;
  throw cause;
}

/** What is made writable may show what is too deep, and the other way round; the tries before may still be at it. */
const mostTries = 8;
/** Bytes of a path below which there is room for one more name (PATH_MAX is 4,096). */
const longest = 3_000;

async function makeWritable(top: Buffer): Promise<void> {
  const pending = [top];
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    // `rm` rejects at the first refusal while its other removals go on: what was here may be gone. Where it is still
    // here and somebody else's, the last try says so.
    await chmod(folder, 0o700).catch(() => {});
    pending.push(...(await foldersIn(folder)).filter(({ length }) => length < longest));
  }
}

/** Brings up what is too deep. */
async function shorten(top: Buffer): Promise<void> {
  const up = await freshIn(top);
  const pending = [top];
  let moved = 0;
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    for (const below of await foldersIn(folder)) {
      if (below.length < longest) {
        pending.push(below);
        continue;
      }
      const higher = Buffer.concat([up, Buffer.from(`/${moved++}`)]);
      await rename(below, higher);
      pending.push(higher);
    }
  }
}

async function freshIn(top: Buffer): Promise<Buffer> {
  const names = new Set(await readdir(top, { encoding: "latin1" }));
  let count = 0;
  while (names.has(`deep-${count}`)) count++;
  const fresh = Buffer.concat([top, Buffer.from(`/deep-${count}`)]);
  await mkdir(fresh);
  return fresh;
}

async function foldersIn(folder: Buffer): Promise<Buffer[]> {
  const entries = await readdir(folder, { withFileTypes: true, encoding: "buffer" }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => Buffer.concat([folder, Buffer.from("/"), name]));
}
