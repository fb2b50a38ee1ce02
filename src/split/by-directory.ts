import type { Split } from "../protocol/split.ts";
import { basenameOf, shownFolder } from "./folders.ts";
import { refuseTooLarge, refuseTooMany } from "./maxima.ts";
import type { Part } from "./split-view.ts";
import { freshIds, reservedIds } from "./task-ids.ts";

/** A task for each top directory, and one for the files beside them. */
export function byDirectory(split: Extract<Split, { by: "directory" }>, files: readonly string[]): Part[] {
  const groups = Map.groupBy(files, (path) => (path.includes("/") ? path.slice(0, path.indexOf("/")) : ""));
  refuseTooLarge(groups, split.files, "directory");
  refuseTooMany(groups.size, split.tasks, `${groups.size} directories`);
  const name = freshIds(reservedIds);
  return [...groups].map(([top, group]) => ({
    id: name(top || "root"),
    title: top || "top level",
    item: { path: shownFolder(top), name: basenameOf(top) || "root" },
    files: group,
    writes: top === "" ? [{ files: group }] : [{ directories: [top] }],
    steps: [],
  }));
}
