import { Fault } from "../protocol/failure.ts";
import type { Decision } from "../protocol/scope.ts";
import type { ToolCommand } from "../tools/tool.ts";

/** A command as the log has it, and as it was allowed. */
export interface AllowedCommand extends ToolCommand {
  callId: string;
  decision: Decision;
  /** Of the run, as the thread named it. */
  spanId: string | undefined;
}

/**
 * The commands that a run was allowed. Each is run once, as it stands in the log, and no thread reports on one: nobody
 * makes up evidence about itself.
 */
export class CallBook {
  readonly #allowed = new Map<string, AllowedCommand | undefined>();

  has(callId: string): boolean {
    return this.#allowed.has(callId);
  }

  allow(command: AllowedCommand): void {
    this.#allowed.set(command.callId, command);
  }

  /** Throws Fault `internal` for one that was not allowed, or that was taken before. */
  take(callId: string): AllowedCommand {
    const command = this.#allowed.get(callId);
    if (!command) throw new Fault("internal", `call ${callId} is no command that was allowed and has yet to run`);
    this.#allowed.set(callId, undefined);
    return command;
  }
}
