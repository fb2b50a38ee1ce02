import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { RunOrder } from "../protocol/thread.ts";
import { refused } from "./git.ts";
import { toRaw } from "./raw-path.ts";
import type { Repository } from "./repository.ts";

export type Bundle = NonNullable<RunOrder["workspace"]["bundle"]>;

/**
 * The bytes of many base files in one file, as `git cat-file --batch` writes them: one process, and no file of the disk
 * for each file that is only read. Paths that the tree does not have as ordinary files are passed over.
 */
export async function writeBundle(
  repository: Repository,
  wanted: { tree: string; paths: readonly string[]; file: string },
): Promise<Bundle> {
  const listing = await repository.listings.get(wanted.tree);
  const found = wanted.paths.flatMap((path) => {
    const entry = listing.entries.get(toRaw(path));
    return entry?.mode.startsWith("100") ? [{ path, entry }] : [];
  });
  const args = ["cat-file", "--batch", "--buffer"];
  const child = repository.git.start(args, { gitDir: repository.gitDir });
  const closed = once(child, "close");
  child.stderr.resume();
  child.stdin.on("error", () => {});
  child.stdin.end(found.map(({ entry }) => `${entry.oid}\n`).join(""));
  await pipeline(child.stdout, createWriteStream(wanted.file, { flags: "wx" }));
  const [code] = await closed;
  if (code !== 0) throw refused(args, { code: Number(code ?? -1), stdout: Buffer.alloc(0), stderr: "" });
  return {
    file: wanted.file,
    entries: found.map(({ path, entry }) => ({ path, is_executable: entry.mode === "100755" })),
  };
}
