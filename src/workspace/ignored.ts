import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { OpenWorkspace } from "./open-workspace.ts";
import { joinRaw, parentOf, type RawPath, rawOf, toBytes } from "./raw-path.ts";
import { withScratch } from "./repository.ts";
import { withAncestors } from "./tree-listing.ts";
import { overWorkOfOthers, patienceMs } from "./unsettled.ts";

/**
 * Which new paths .gitignore covers: the workspace's own, or the base's where the workspace does not hold it. Git
 * decides, on a mirror of just these files, so that nothing has to be added to the workspace for its sake. Throws
 * `Unsettled` where it comes to no end.
 */
export async function ignoredAmong(
  open: OpenWorkspace,
  fresh: { paths: readonly RawPath[]; files: ReadonlySet<RawPath> },
): Promise<Set<RawPath>> {
  if (fresh.paths.length === 0) return new Set();
  return await withScratch(open.repository, async (mirror) => {
    for (const directory of ancestorsOf(fresh.paths)) {
      const rules = await rulesAt(open, joinRaw(directory, ".gitignore"), fresh.files);
      if (rules) await place(mirror, directory, rules);
    }
    const check = () =>
      open.repository.git(["check-ignore", "--no-index", "-z", "--stdin"], {
        gitDir: open.repository.gitDir,
        workTree: mirror,
        cwd: mirror,
        // check-ignore refuses literal pathspecs; `./` keeps a name that begins with `:` from being one with magic.
        env: { GIT_LITERAL_PATHSPECS: "0" },
        input: Buffer.from(fresh.paths.map((path) => `./${path}\0`).join(""), "latin1"),
        // 1: none of them.
        accept: [0, 1],
        // There are patterns that a name can hold up for years.
        timeoutMs: patienceMs,
      });
    const { stdout } = await overWorkOfOthers(check);
    return new Set(
      stdout
        .toString("latin1")
        .split("\0")
        .slice(0, -1)
        .map((path) => rawOf(path.slice(2))),
    );
  });
}

function ancestorsOf(paths: readonly RawPath[]): Set<RawPath> {
  const directories = new Set([rawOf("")]);
  for (const path of paths) {
    for (const step of withAncestors(parentOf(path))) directories.add(step);
  }
  return directories;
}

async function rulesAt(open: OpenWorkspace, path: RawPath, files: ReadonlySet<RawPath>): Promise<Buffer | undefined> {
  if (files.has(path)) return await readFile(Buffer.concat([Buffer.from(`${open.root}/`), toBytes(path)]));
  const entry = open.held.has(path) ? undefined : open.listing.entries.get(path);
  return entry?.mode.startsWith("100") ? await open.repository.objects.read(entry.oid) : undefined;
}

async function place(mirror: string, directory: RawPath, rules: Buffer): Promise<void> {
  const at = Buffer.concat([Buffer.from(`${mirror}/`), toBytes(directory)]);
  await mkdir(at, { recursive: true });
  await writeFile(Buffer.concat([at, Buffer.from("/.gitignore")]), rules);
}
