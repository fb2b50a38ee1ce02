import { createHash } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { type RawPath, toBytes, toShown } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import { withAncestors } from "./tree-listing.ts";

/** What stands at a path of the user's checkout, as git would name it. It never goes through a link. */
export type OnDisk =
  | { kind: "file" | "link"; mode: string; oid: string }
  | { kind: "nothing" }
  | { kind: "directory" }
  | { kind: "other" }
  /** Something on the way to it is not a directory. */
  | { kind: "blocked"; by: RawPath; reason: string };

export async function onDisk(repository: Repository, path: RawPath): Promise<OnDisk> {
  for (const step of withAncestors(path)) {
    const stats = await statOf(repository, step);
    if (!stats) return { kind: "nothing" };
    if (step === path) return await versionOf(repository, path, stats);
    if (!stats.isDirectory()) {
      return { kind: "blocked", by: step, reason: `is below ${toShown(step)}, which is not a directory` };
    }
  }
  return { kind: "nothing" };
}

export function inCheckout(top: string, path: RawPath): Buffer {
  return Buffer.concat([Buffer.from(`${top}/`), toBytes(path)]);
}

async function statOf({ user }: Repository, path: RawPath): Promise<Stats | undefined> {
  try {
    return await lstat(inCheckout(user.top, path));
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
}

async function versionOf(repository: Repository, path: RawPath, stats: Stats): Promise<OnDisk> {
  const at = inCheckout(repository.user.top, path);
  const hash = createHash(repository.objectFormat);
  if (stats.isDirectory()) return { kind: "directory" };
  if (stats.isSymbolicLink()) {
    const target = await readlink(at, { encoding: "buffer" });
    return { kind: "link", mode: "120000", oid: hash.update(`blob ${target.length}\0`).update(target).digest("hex") };
  }
  if (!stats.isFile()) return { kind: "other" };
  hash.update(`blob ${stats.size}\0`);
  for await (const chunk of createReadStream(at)) hash.update(chunk);
  return { kind: "file", mode: (stats.mode & 0o100) === 0 ? "100644" : "100755", oid: hash.digest("hex") };
}
