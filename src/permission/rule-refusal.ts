import { Fault } from "../protocol/failure.ts";

/** The Fault for a text that cannot be a rule. `remedy` says what to write instead. */
export function refuseRule(id: string, reason: string, remedy: string): Fault {
  return new Fault("rule", `the rule ${JSON.stringify(id)} is refused: ${reason}`, { remedy });
}
