import type { Failure } from "../../protocol/failure.ts";
import type { Denial } from "../../protocol/result.ts";
import { commandText, describeEnding } from "../../sandbox/command-ending.ts";
import type { CommandOutcome } from "../../sandbox/driver.ts";
import type { CommandOrder } from "../tasks/step-order.ts";

/**
 * Why a step that is a command has failed. `may_fail` forgives what a program says at its end; not that it was never
 * found, or had to be killed.
 */
export function failureOf(
  { step }: CommandOrder,
  seen: CommandOutcome,
  denials: readonly Omit<Denial, "task">[],
): Failure | undefined {
  const command = JSON.stringify(commandText(step.run).slice(0, 500));
  const [first] = denials;
  if (first) {
    const more = denials.length > 1 ? ` (and ${denials.length - 1} more)` : "";
    return {
      code: "denied",
      message: `${command} wrote ${first.input}${more}: ${first.reason}`,
      remedy: "widen the writes of the step or the task, or let the command write elsewhere",
    };
  }
  const isRun = seen.exit !== null && seen.exit !== 126 && seen.exit !== 127 && !seen.isTimedOut;
  if (seen.exit === 0 && isRun) return undefined;
  if (step.may_fail && isRun) return undefined;
  const failure = { code: "command_failed", message: `${command}: ${describeEnding(seen)}` };
  return seen.isTimedOut ? { ...failure, remedy: "raise the step's timeout" } : failure;
}
