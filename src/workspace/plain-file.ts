import { copyFile, readFile, stat } from "node:fs/promises";
import { Fault } from "../protocol/failure.ts";

/**
 * Files of somebody else's `.git`, which may be anything: a pipe would be waited for without end, and a device has no
 * end. Only files are read, of a size that such a file can have.
 */
const mostBytes = 64 * 2 ** 20;

/** Undefined where there is none. Throws Fault `unsupported_repository` for what is there and is no such file. */
export async function readPlain(path: string): Promise<Buffer | undefined> {
  return (await isPlain(path)) ? await readFile(path) : undefined;
}

/** Copies it where it is there. Throws as `readPlain` does. */
export async function copyPlain(from: string, to: string): Promise<void> {
  if (await isPlain(from)) await copyFile(from, to);
}

/** Throws Fault `unsupported_repository` where one is there and is no file; an index may have any size. */
export async function refuseOdd(paths: readonly string[]): Promise<void> {
  for (const path of paths) await isPlain(path, Number.POSITIVE_INFINITY);
}

async function isPlain(path: string, most = mostBytes): Promise<boolean> {
  const found = await stat(path).catch(absent);
  if (found === undefined) return false;
  if (found.isFile() && found.size <= most) return true;
  throw new Fault("unsupported_repository", `${path} is ${found.isFile() ? `${found.size} bytes` : "not a file"}`, {
    remedy: "no git writes that; move it away, or take a fresh clone",
  });
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== "ENOENT" && cause.code !== "ENOTDIR") throw cause;
  return undefined;
}
