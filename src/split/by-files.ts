import type { Split } from "../protocol/split.ts";
import { basenameOf } from "./folders.ts";
import { refuseTooMany } from "./maxima.ts";
import type { Part, SplitView } from "./split-view.ts";
import { freshIds, reservedIds } from "./task-ids.ts";

type Maxima = { files?: number | undefined; tasks?: number | undefined };

/** Runs of neighbouring files, each a task of at most so many. `match` is the same over fewer files. */
export function byFiles(
  split: Extract<Split, { by: "files" | "match" }>,
  files: readonly string[],
  { threads }: Pick<SplitView, "threads">,
): Part[] {
  return partsOf(chunked(files, split, threads));
}

/** Files of one task when nobody says: enough to be worth a thread, few enough that a lost one is cheap. */
const fewestFiles = 25;
const mostFiles = 250;
const tasksPerThread = 4;

/** Throws Fault `job_file` where both maxima cannot hold. */
export function chunked(files: readonly string[], most: Maxima, threads: number): string[][] {
  const fair = Math.ceil(files.length / (threads * tasksPerThread));
  const asked = most.tasks === undefined ? 0 : Math.ceil(files.length / most.tasks);
  const size = most.files ?? Math.max(Math.min(mostFiles, Math.max(fewestFiles, fair)), asked);
  const chunks: string[][] = [];
  for (let start = 0; start < files.length; start += size) chunks.push(files.slice(start, start + size));
  refuseTooMany(chunks.length, most.tasks, `${files.length} files in tasks of at most ${size}`);
  return chunks;
}

/** A task that is one file has that file as its item. */
export function partsOf(chunks: readonly string[][]): Part[] {
  const name = freshIds(reservedIds);
  return chunks.map((files, index) => {
    const [only] = files.length === 1 ? files : [];
    const item: Record<string, string> = only === undefined ? {} : { path: only, name: basenameOf(only) };
    return { id: name(`part-${index + 1}`), title: `part ${index + 1}`, item, files, writes: [{ files }], steps: [] };
  });
}
