import { createHash } from "node:crypto";
import { canonicalJson } from "../../protocol/canonical-json.ts";
import { toFailure } from "../../protocol/failure.ts";
import { bash } from "../../tools/bash.ts";
import { namedSecrets } from "../commands/named-secrets.ts";
import { networkTargets } from "../commands/network-targets.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import type { StepOrder } from "../tasks/step-order.ts";

/**
 * Names what a node does a run with, beside its scope: the operator's network and patience, the sandbox of its commands,
 * and what is known of its model. A node with anything else would do the run otherwise, and may be let do more.
 */
export async function means({ scope, step }: Pick<StepOrder, "scope" | "step">, equipment: Equipment): Promise<string> {
  const { network, approvalMs } = equipment.ceiling;
  const sandbox = scope.tools.includes(bash.name) ? await equipment.sandbox() : undefined;
  const found = equipment.models.of(step.agent.model);
  const card = found && "card" in found ? found.card : undefined;
  const mode = sandbox && "mode" in sandbox ? sandbox.mode : undefined;
  return createHash("sha256")
    .update(canonicalJson({ network, approvalMs, ...(mode ? { mode } : {}), ...(card ? { card } : {}) }))
    .digest("hex");
}

/** Whether this node has all that the commands of a run are promised. */
export async function hasPromised(
  { step }: Pick<StepOrder, "step">,
  job: Pick<Job, "spec" | "repository">,
  { ceiling }: Equipment,
): Promise<boolean> {
  try {
    namedSecrets(step.secrets ?? [], ceiling);
    await networkTargets(step.network ?? [], { ...job, ceiling });
    return true;
  } catch (thrown) {
    const { code } = toFailure(thrown);
    if (code === "configuration" || code === "not_allowed") return false;
    throw thrown;
  }
}
