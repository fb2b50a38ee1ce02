import { toFailure } from "../../protocol/failure.ts";
import type { Equipment } from "../equipment.ts";

/**
 * Takes away a workspace or checkout when its work is over. What was done in it is in a tree by then: that the folder
 * could not be removed is for the operator to hear, and decides nothing about a job.
 */
export async function clearAway(
  used: { dispose(): Promise<void> },
  { warn, home }: Pick<Equipment, "warn" | "home">,
): Promise<void> {
  try {
    await used.dispose();
  } catch (thrown) {
    warn?.(
      `a folder below ${home} could not be removed (sheaf doctor lists what is left): ${toFailure(thrown).message}`,
    );
  }
}
