import { CommanderError } from "commander";
import { exitOfFailure, faultExits, toFailure } from "../protocol/failure.ts";
import { visible } from "../protocol/visible.ts";
import type { Terminal } from "./terminal.ts";

/** Says on stderr what went wrong and what to try; answers the exit code. */
export function reportError(thrown: unknown, terminal: Terminal): number {
  // Commander has said what was wrong with the words; help and version end here too, with 0.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : faultExits.usage;
  const failure = toFailure(thrown);
  terminal.tell(`${terminal.style("red", "error")} ${visible(failure.message)}`);
  if (failure.remedy) terminal.tell(`  try: ${visible(failure.remedy)}`);
  return exitOfFailure(failure);
}
