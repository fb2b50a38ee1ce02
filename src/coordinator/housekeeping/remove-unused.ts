import { activeJobs } from "../../db/expired-jobs.ts";
import { removeEntry } from "../../workspace/remove-folder.ts";
import type { Around } from "./around.ts";
import type { Garbage } from "./garbage.ts";

/**
 * Removes a file or folder that was found to be garbage, unless it is none any more: minutes may lie between the two, and a
 * job that began meanwhile may use it.
 */
export function removeUnused(
  path: string,
  isUnused: (around: Around) => Promise<boolean>,
  around: Around,
): Garbage["remove"] {
  return async () => {
    const active = await activeJobs(around.equipment.database);
    if (!(await isUnused({ ...around, active, now: around.equipment.clock.now() }))) return { left: usedMeanwhile };
    await removeEntry(Buffer.from(path));
    return {};
  };
}

const usedMeanwhile = "it was used while this looked around";
