import { Fault } from "../protocol/failure.ts";
import type { PathPattern } from "../protocol/scope.ts";
import type { Split } from "../protocol/split.ts";
import { type FileIndex, indexOf } from "./file-index.ts";
import { basenameOf } from "./folders.ts";
import { refuseTooMany } from "./maxima.ts";
import type { Part, SplitView } from "./split-view.ts";
import { freshIds, reservedIds } from "./task-ids.ts";

/**
 * A task for each item: a file, a directory or a glob. An item that names nothing is refused; one in which nothing is
 * chosen makes no task.
 */
export function byList(
  split: Extract<Split, { by: "list" }>,
  isWanted: (path: string) => boolean,
  view: SplitView,
): Part[] {
  refuseTooMany(split.items.length, split.tasks, `${split.items.length} items`);
  const name = freshIds(reservedIds);
  const index = indexOf(view);
  const known = new Set(view.files);
  const isChoosing = view.isChosen !== undefined;
  return split.items.flatMap((item) => {
    const pattern = itemPattern(item, known, index);
    const named = index.covered(pattern);
    if (named.length === 0) throw nothingThere(item);
    const files = named.filter(isWanted);
    const id = name(item);
    if (isChoosing && files.length === 0) return [];
    const path = pathOf(pattern, item);
    return [{ id, title: item, item: { path, name: basenameOf(path) }, files, writes: [pattern], steps: [] }];
  });
}

/** What is there under that very name is meant, whatever marks the name holds. */
function itemPattern(item: string, known: ReadonlySet<string>, index: FileIndex): PathPattern {
  const plain = item.replace(/\/+$/, "").replace(/^(\.\/|\/)+|^\.$/, "");
  if (known.has(plain)) return { files: [plain] };
  const folder: PathPattern = { directories: [plain] };
  return index.covered(folder).length > 0 ? folder : { glob: item };
}

function pathOf(pattern: PathPattern, item: string): string {
  if ("files" in pattern) return pattern.files[0] ?? item;
  return "directories" in pattern ? pattern.directories[0] || "." : item;
}

function nothingThere(item: string): Fault {
  return new Fault("job_file", `split.items: nothing in the repository matches ${JSON.stringify(item)}`, {
    remedy: "name a tracked file, a directory, or a glob that matches some",
  });
}
