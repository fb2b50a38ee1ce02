import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Event } from "../../protocol/event.ts";
import { removeFolder } from "../../workspace/remove-folder.ts";
import type { Equipment } from "../equipment.ts";
import { clearAway } from "../tasks/clear-away.ts";

/**
 * Removes the workspaces of runs that had ended when their process did: their trees are in the log. One whose run has no
 * tree there stays, since what it holds may be nowhere else.
 */
export async function clearTaken(events: readonly Event[], equipment: Equipment): Promise<void> {
  const taken = new Set(events.flatMap((event) => (isTaken(event) ? [event.run_id] : [])));
  const folder = join(equipment.home, "workspaces");
  const names = taken.size === 0 ? [] : await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!taken.has(name.slice(0, uuidLength))) continue;
    await clearAway({ dispose: () => removeFolder(join(folder, name)) }, equipment);
  }
}

/** A workspace is called by its run and the epoch of whoever made it. */
const uuidLength = 36;

function isTaken(event: Event): boolean {
  return event.type === "run.finished" && event.data.tree !== undefined;
}
