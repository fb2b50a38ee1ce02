import { join } from "node:path";
import { assumeReserved } from "../db/day-budget.ts";
import { removeDrafts } from "../workspace/prepared-files.ts";
import { removeFolder } from "../workspace/remove-folder.ts";
import { removeStaleRecords } from "../workspace/stale-records.ts";
import type { Equipment } from "./equipment.ts";
import { clearAway } from "./tasks/clear-away.ts";

/**
 * Whoever opens an embedded database is alone: what a process before left half-made on the disk is of nobody, and goes.
 * The jobs that still run are another matter: take-in.ts takes them up.
 */
export async function clearUp(equipment: Equipment): Promise<void> {
  const { database, home } = equipment;
  // A check's checkout holds nothing that is not in a tree. Workspaces are left: what is in them may be nowhere else.
  await clearAway({ dispose: () => removeFolder(join(home, "checkouts")) }, equipment);
  // Sockets of commands whose process is gone.
  await clearAway({ dispose: () => removeFolder(join(home, "sandbox", "network")) }, equipment);
  await clearAway({ dispose: () => removeDrafts(join(home, "setups")) }, equipment);
  await clearAway({ dispose: () => removeStaleRecords(join(home, "repositories")) }, equipment);
  if (equipment.spending.day) await assumeReserved(database);
}
