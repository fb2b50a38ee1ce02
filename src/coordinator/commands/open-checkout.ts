import { join } from "node:path";
import { newUuid } from "../../protocol/ids.ts";
import { createCheckout } from "../../workspace/checkout.ts";
import { withRoom } from "../room.ts";
import { clearAway } from "../tasks/clear-away.ts";
import { type Around, prepareCheckout } from "./setup.ts";

/** A clean checkout of a tree, made ready for commands, there until disposed. Throws `SetupFailed`. */
export async function openCheckout(tree: string, around: Around): Promise<{ root: string; dispose(): Promise<void> }> {
  const { home, clock } = around.equipment;
  const directory = join(home, "checkouts", newUuid(clock));
  const make = () => createCheckout(around.job.repository, { directory, tree });
  const checkout = await withRoom(make, around.equipment, directory);
  const dispose = () => clearAway(checkout, around.equipment);
  try {
    await prepareCheckout(checkout.root, tree, around);
    return { root: checkout.root, dispose };
  } catch (cause) {
    await dispose();
    throw cause;
  }
}
