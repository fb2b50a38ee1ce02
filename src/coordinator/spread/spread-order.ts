import { z } from "zod";
import { leftover } from "../../protocol/claim.ts";
import { taskId } from "../../protocol/ids.ts";
import type { EarlierSteps } from "../brief/earlier-steps.ts";
import { scopeHash } from "../tasks/scope-hash.ts";
import type { StepOrder } from "../tasks/step-order.ts";

/**
 * What another node has to know of a run beside what the log of its job says, as it is kept with the run. No right is in
 * it: the node makes the run's scope itself, and does it only where that is the scope of the owner.
 */
export const spreadOrder = z.object({
  task_id: taskId,
  ordinal: z.number().int(),
  attempt: z.number().int(),
  tree: z.string(),
  is_alone: z.boolean(),
  scope_sha256: z.string(),
  /** Of what it is done with (done-alike.ts); absent in orders of older versions. */
  means_sha256: z.string().optional(),
  /** Each of its calls is asked for first. */
  is_budgeted: z.boolean().optional(),
  earlier: z
    .object({
      leftovers: z.array(leftover),
      leftover_count: z.number(),
      refused: z.array(z.string()),
      failed_commands: z.array(z.object({ text: z.string(), ending: z.string(), output: z.string() })),
    })
    .optional(),
});
export type SpreadOrder = z.infer<typeof spreadOrder>;

/** `means` and the budget are the owner's. */
export function toSpreadOrder(
  { task, ordinal, attempt, tree, isAlone, scope, earlier }: StepOrder,
  { means, isBudgeted }: { means: string; isBudgeted: boolean },
): SpreadOrder {
  return {
    ...{ task_id: task.id, ordinal, attempt, tree, is_alone: isAlone, scope_sha256: scopeHash(scope) },
    ...{ means_sha256: means, is_budgeted: isBudgeted },
    ...(earlier ? { earlier: toWritten(earlier) } : {}),
  };
}

function toWritten(earlier: EarlierSteps): SpreadOrder["earlier"] {
  const { leftovers, leftoverCount, refused, failedCommands } = earlier;
  return {
    leftovers: [...leftovers],
    leftover_count: leftoverCount,
    refused: [...refused],
    failed_commands: [...failedCommands],
  };
}

export function earlierIn({ earlier }: SpreadOrder): { earlier?: EarlierSteps } {
  if (!earlier) return {};
  const { leftovers, leftover_count: leftoverCount, refused, failed_commands: failedCommands } = earlier;
  return { earlier: { leftovers, leftoverCount, refused, failedCommands } };
}
