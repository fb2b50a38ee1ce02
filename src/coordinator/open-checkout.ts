import { join } from "node:path";
import { newUuid } from "../protocol/ids.ts";
import { createCheckout } from "../workspace/checkout.ts";
import { type Around, prepareCheckout } from "./setup.ts";

/** A clean checkout of a tree, made ready for commands, there until disposed. Throws `SetupFailed`. */
export async function openCheckout(tree: string, around: Around): Promise<{ root: string; dispose(): Promise<void> }> {
  const { home, clock } = around.equipment;
  const directory = join(home, "checkouts", newUuid(clock));
  const checkout = await createCheckout(around.job.repository, { directory, tree });
  try {
    await prepareCheckout(checkout.root, tree, around);
    return checkout;
  } catch (cause) {
    await checkout.dispose();
    throw cause;
  }
}
