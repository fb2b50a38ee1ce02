import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type RawPath, rawOf, toBytes } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import type { UserView } from "./user-view.ts";

/** Files that the user's git would run a program over. We never run it; of git-lfs we can read the pointer. */
export async function filteredAmong(
  repository: Repository,
  view: UserView,
  paths: readonly RawPath[],
): Promise<Set<RawPath>> {
  if (paths.length === 0) return new Set();
  const { stdout } = await repository.git([...view.flags, "check-attr", "-z", "--stdin", "filter"], {
    ...view.where,
    input: Buffer.from(paths.map((path) => `${path}\0`).join(""), "latin1"),
  });
  const fields = stdout.toString("latin1").split("\0");
  const filtered = new Set<RawPath>();
  for (let index = 0; index + 2 < fields.length; index += 3) {
    const value = fields[index + 2] ?? "";
    const name = /^(unspecified|unset|set)$/.test(value) ? undefined : value;
    if (name !== undefined && hasProgram(repository, name)) filtered.add(rawOf(fields[index] ?? ""));
  }
  return filtered;
}

/** An attribute that names a filter nobody configured does nothing, except for git-lfs, whose set-up we may not see. */
function hasProgram({ userConfig }: Repository, name: string): boolean {
  return name === "lfs" || ["clean", "process", "smudge"].some((kind) => userConfig.has(`filter.${name}.${kind}`));
}

/** Whether a working file is, byte for byte, what a git-lfs pointer (git-lfs specification, "The Pointer") stands for. */
export async function isUnchangedPointer(repository: Repository, path: RawPath, oid: string): Promise<boolean> {
  const stored = await repository.objects.info(oid);
  if (!stored || stored.size > 1_024) return false;
  const pointer = (await repository.objects.read(oid))?.toString("latin1") ?? "";
  const wanted = /^oid sha256:([0-9a-f]{64})$/m.exec(pointer)?.[1];
  if (!pointer.startsWith("version https://git-lfs.github.com/spec/") || wanted === undefined) return false;
  const hash = createHash("sha256");
  const file = Buffer.concat([Buffer.from(`${repository.user.top}/`), toBytes(path)]);
  try {
    await pipeline(createReadStream(file), hash);
  } catch {
    // Gone, or not a file: changed.
    return false;
  }
  return hash.digest("hex") === wanted;
}
