import { hostname } from "node:os";
import type { LocalCoordinator } from "../coordinator/coordinator.ts";
import type { Equipment } from "../coordinator/equipment.ts";
import { jobClaims } from "../db/find-owners.ts";
import { toFailure } from "../protocol/failure.ts";
import type { Finding } from "./doctor-finding.ts";
import { count, oneLine } from "./words.ts";

/**
 * What processes that are gone left behind, and jobs whose process is gone. Nothing is removed here, and nothing of it
 * keeps Sheaf from working: each is a note with its remedy.
 */
export async function orphanFindings({
  coordinator,
  equipment,
}: {
  coordinator: Pick<LocalCoordinator, "collect">;
  equipment: Pick<Equipment, "database" | "node">;
}): Promise<Finding[]> {
  try {
    const { rows, left } = await coordinator.collect({ is_dry_run: true, has_unknown: false });
    return [
      ...(await ownerless(equipment)),
      ...rows.map(({ what, count: many, bytes, why }): Finding => {
        const size = bytes >= 100_000 ? `, ${(bytes / 1e6).toFixed(1)} MB` : "";
        return { state: "note", what: `${what}: ${many}${size}: ${why}`, remedy: "sheaf gc" };
      }),
      ...left.map(
        ({ what, count: many, why }): Finding => ({ state: "note", what: `${what}: ${many}: ${oneLine(why)}` }),
      ),
    ];
  } catch (thrown) {
    const { message, remedy } = toFailure(thrown);
    return [{ state: "note", what: `what was left behind is not known: ${message}`, ...(remedy ? { remedy } : {}) }];
  }
}

/** Only of a process on this machine can anybody here know that it is gone. */
async function ownerless({ database, node }: Pick<Equipment, "database" | "node">): Promise<Finding[]> {
  const lost = (await jobClaims(database)).filter(({ owner }) => owner !== node && isGone(owner));
  if (lost.length === 0) return [];
  const names = lost.slice(0, 5).map(({ handle }) => handle);
  const what = `${count(lost.length, "job")} without a living owner on this machine: ${names.join(", ")}`;
  return [{ state: "note", what, remedy: "`sheaf serve` takes them up; sheaf cancel JOB ends one" }];
}

function isGone(owner: string | null): boolean {
  if (owner === null) return true;
  const pid = owner.startsWith(`${hostname()}/`) ? Number(owner.slice(hostname().length + 1)) : Number.NaN;
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH";
  }
}
