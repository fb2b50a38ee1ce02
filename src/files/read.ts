import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

/** The bytes of a file, or why they cannot be had, in words for whoever asked. */
export type ReadOutcome = { bytes: Uint8Array; isExecutable: boolean } | { refused: string };

/**
 * Reads a regular file at a canonical path. It follows no link and never blocks: a FIFO, device or socket is
 * refused without waiting for it. Throws what the disk throws otherwise.
 */
export function readRegular(root: string, path: string, mostBytes: number): ReadOutcome {
  const descriptor = openQuietly(join(root, path));
  if (typeof descriptor === "string") return { refused: `${JSON.stringify(path)} ${descriptor}` };
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) return { refused: `${JSON.stringify(path)} is a directory` };
    if (!stat.isFile()) return { refused: `${JSON.stringify(path)} is not a regular file` };
    const bytes = readAtMost(descriptor, mostBytes, stat.size);
    if (bytes === undefined) return { refused: tooLarge(path, stat.size, mostBytes) };
    return { bytes, isExecutable: (stat.mode & 0o100) !== 0 };
  } finally {
    closeSync(descriptor);
  }
}

export function tooLarge(path: string, size: number, mostBytes: number): string {
  return `${JSON.stringify(path)} is too large: ${size} bytes, and at most ${mostBytes} are read`;
}

function openQuietly(absolute: string): number | string {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    return openSync(absolute, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
    const reason = openRefusals[code];
    if (reason === undefined) throw thrown;
    return reason;
  }
}

const openRefusals: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist: a part of it is a file",
  ENAMETOOLONG: "does not exist: the name is longer than a file's can be",
  ELOOP: "is a symlink, and only what it leads to is read",
  ENXIO: "is not a regular file",
  EOPNOTSUPP: "is not a regular file",
};

/** Undefined when there is more; a file that grows while it is read is cut at nothing, but refused. */
function readAtMost(descriptor: number, mostBytes: number, expected: number): Uint8Array | undefined {
  if (expected > mostBytes) return undefined;
  let bytes = Buffer.allocUnsafe(expected + 1);
  let filled = 0;
  for (;;) {
    const count = readSync(descriptor, bytes, filled, bytes.length - filled, null);
    if (count === 0) return bytes.subarray(0, filled);
    filled += count;
    if (filled > mostBytes) return undefined;
    if (filled === bytes.length) bytes = Buffer.concat([bytes, Buffer.allocUnsafe(filled)]);
  }
}
