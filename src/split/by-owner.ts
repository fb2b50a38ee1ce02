import { Fault } from "../protocol/failure.ts";
import type { Split } from "../protocol/split.ts";
import { readCodeowners } from "./codeowners.ts";
import { writesOfGroups } from "./folders.ts";
import { refuseTooLarge, refuseTooMany } from "./maxima.ts";
import type { Part, SplitView } from "./split-view.ts";
import { freshIds, reservedIds } from "./task-ids.ts";

/** A task for each owner that CODEOWNERS names first for some file, and `unowned` for the files it gives to nobody. */
export function byOwner(
  split: Extract<Split, { by: "owner" }>,
  isWanted: (path: string) => boolean,
  view: SplitView,
): Part[] {
  if (!view.codeowners) throw noCodeowners();
  const ownerOf = readCodeowners(view.codeowners);
  const owners = new Map(view.files.map((path) => [path, ownerOf(path) ?? nobody]));
  const groupOf = (path: string) => owners.get(path) ?? nobody;
  const groups = Map.groupBy(view.files.filter(isWanted), groupOf);
  refuseTooLarge(groups, split.files, "owner");
  refuseTooMany(groups.size, split.tasks, `${groups.size} owners`);
  const writes = writesOfGroups(view.files, groupOf);
  const name = freshIds([...reservedIds, unowned]);
  return [...groups].sort(byName).map(([owner, files]) => ({
    id: owner === nobody ? freshIds()(unowned) : name(owner),
    title: owner || "files without an owner",
    item: owner === nobody ? { name: unowned } : { owner, name: owner.replace(/^@/, "") },
    files,
    writes: writes.get(owner) ?? [],
    steps: [],
  }));
}

const nobody = "";
const unowned = "unowned";

/** Those of nobody come last. */
function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  if (one === nobody || other === nobody) return one === nobody ? 1 : -1;
  return one < other ? -1 : 1;
}

/** Where a CODEOWNERS file is looked for, in this order: GitHub's places, then GitLab's own. */
export const codeownersPaths = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"] as const;

function noCodeowners(): Fault {
  return new Fault("job_file", "split: by: owner needs a CODEOWNERS file, and the base has none", {
    remedy: `commit one at ${codeownersPaths.join(", ")}, or split by directory`,
  });
}
