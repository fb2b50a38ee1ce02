import { Fault } from "../protocol/failure.ts";
import type { Split } from "../protocol/split.ts";
import { basenameOf, folderOf, writesOfGroups } from "./folders.ts";
import { refuseTooLarge, refuseTooMany } from "./maxima.ts";
import { findPackages } from "./packages.ts";
import type { Part, SplitView } from "./split-view.ts";
import { freshIds, reservedIds } from "./task-ids.ts";

/** A task for each package that the manifests of the base declare, and `root` for the files in none of them. */
export function byWorkspace(
  split: Extract<Split, { by: "workspace" }>,
  isWanted: (path: string) => boolean,
  view: SplitView,
): Part[] {
  const names = findPackages(view.manifests ?? new Map());
  if (names.size === 0) throw noPackages();
  const groupOf = cached((path) => packageOf(path, names));
  const groups = Map.groupBy(view.files.filter(isWanted), groupOf);
  refuseTooLarge(groups, split.files, "package");
  refuseTooMany(groups.size, split.tasks, `${groups.size} packages`);
  const writes = writesOfGroups(view.files, groupOf);
  const id = freshIds([...reservedIds, root]);
  return [...groups].map(([folder, files]) => ({
    id: folder === "" ? freshIds()(root) : id(folder),
    title: folder === "" ? "files outside of packages" : (names.get(folder) ?? folder),
    item: folder === "" ? { path: ".", name: names.get("") ?? root } : itemOf(folder, names.get(folder)),
    files,
    writes: writes.get(folder) ?? [],
    steps: [],
  }));
}

const root = "root";

function itemOf(folder: string, name: string | undefined): Record<string, string> {
  return { path: folder, name: name ?? basenameOf(folder) };
}

/** The nearest package above a file; "" where there is none. */
function packageOf(path: string, packages: ReadonlyMap<string, unknown>): string {
  let folder = folderOf(path);
  while (folder !== "" && !packages.has(folder)) folder = folderOf(folder);
  return folder;
}

function cached(ask: (path: string) => string): (path: string) => string {
  const known = new Map<string, string>();
  return (path) => {
    const answer = known.get(path) ?? ask(path);
    known.set(path, answer);
    return answer;
  };
}

function noPackages(): Fault {
  return new Fault("job_file", "split: by: workspace found no manifest of a package at the base", {
    remedy:
      "commit one (package.json, pnpm-workspace.yaml, Cargo.toml, go.mod, pyproject.toml, setup.py or pom.xml), or split by directory",
  });
}
