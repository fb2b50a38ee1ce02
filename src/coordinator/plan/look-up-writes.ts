import { setImmediate as others } from "node:timers/promises";
import { mostWrites } from "../../split/check-plan.ts";
import { indexOf } from "../../split/file-index.ts";
import { readWrite } from "../../split/planned-writes.ts";
import type { SplitView } from "../../split/split-view.ts";

/** How long one plan may keep this process from everything else. */
const longestMs = 50;

/**
 * Looks up among the files what a plan writes, before it is judged: what was found is kept with the list of files, and
 * all others of this process get their turn in between. It judges nothing.
 */
export async function lookUpWrites(
  { tasks }: { tasks: readonly { writes: readonly string[] }[] },
  view: SplitView,
  now: () => number,
): Promise<void> {
  const writes = new Set(tasks.flatMap((task) => task.writes));
  // More of them are refused without a look.
  if (writes.size > mostWrites) return;
  let since = now();
  for (const text of writes) {
    const read = readWrite(text, view);
    if ("pattern" in read) indexOf(view).covered(read.pattern);
    if (now() - since < longestMs) continue;
    await others();
    since = now();
  }
}
