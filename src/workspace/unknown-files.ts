import { type RawPath, rawOf } from "./raw-path.ts";
import type { Repository } from "./repository.ts";

/**
 * What is on the disk and not in the index, as git sees it through its ignore rules. `ignored` and `all` name a folder
 * that holds nothing else once, without a slash at its end; `not ignored` names every file.
 */
export async function unknownTo(
  repository: Repository,
  place: { root: string; indexFile: string; which: "ignored" | "not ignored" | "all"; timeoutMs?: number },
): Promise<RawPath[]> {
  const { stdout } = await repository.git(["ls-files", "--others", "-z", ...options[place.which]], {
    gitDir: repository.gitDir,
    workTree: place.root,
    cwd: place.root,
    indexFile: place.indexFile,
    timeoutMs: place.timeoutMs ?? mostMs,
  });
  const names = stdout.toString("latin1").split("\0").slice(0, -1);
  return names.map((name) => rawOf(name.replace(/\/$/, "")));
}

/** A tree that keeps git waiting was made to; the largest takes seconds. */
const mostMs = 120_000;

const options = {
  ignored: ["--ignored", "--exclude-standard", "--directory"],
  "not ignored": ["--exclude-standard"],
  all: ["--directory"],
};
