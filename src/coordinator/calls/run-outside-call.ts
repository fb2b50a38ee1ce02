import type { AllowedCall } from "./call-book.ts";
import { runAgentCall } from "./run-agent-call.ts";
import { runServerCall } from "./run-server-call.ts";
import { type CommandPlace, runToolCommand, type Told } from "./run-tool-command.ts";

/**
 * Does what an agent asked for and was allowed, as the log says it: the one way by which anything leaves a thread. It
 * decides nothing; that was done when the call was acknowledged.
 */
export async function runOutsideCall(call: AllowedCall, place: CommandPlace): Promise<Told> {
  switch (call.kind) {
    case "command":
      return runToolCommand(call, place);
    case "server":
      return runServerCall(call, place);
    case "agent":
      return runAgentCall(call, place);
  }
}
