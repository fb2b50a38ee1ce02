import { Fault } from "../protocol/failure.ts";

/** The Fault for a pattern that cannot be a rule. */
export function refusePattern(glob: string, reason: string, remedy: string): Fault {
  return new Fault("rule", `the pattern ${JSON.stringify(glob)} is refused: ${reason}`, { remedy });
}
