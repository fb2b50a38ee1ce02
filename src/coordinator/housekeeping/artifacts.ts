import { removeUnnamedArtifacts, unnamedArtifacts } from "../../db/unnamed-artifacts.ts";
import type { Around } from "./around.ts";
import type { Found } from "./garbage.ts";

/** Outputs and other large texts that nothing names any more. They wait until no job runs. */
export async function findArtifacts({ active, equipment }: Around): Promise<Found> {
  const { database } = equipment;
  const { count, bytes } = await unnamedArtifacts(database);
  if (count === 0) return { garbage: [], left: [] };
  const name = database.address;
  if (active.length > 0) return { garbage: [], left: [{ what: "artifacts", name, why: whileAtWork }] };
  const remove = async () => ((await removeUnnamedArtifacts(database)) ? {} : { left: whileAtWork });
  return { garbage: [{ what: "artifacts", name, count, bytes, why: "no event names them", remove }], left: [] };
}

const whileAtWork = "a job runs, and may be about to name them";
