import { Fault } from "../../protocol/failure.ts";
import type { Decision } from "../../protocol/scope.ts";
import type { OutsideCall } from "../../tools/tool.ts";

/** A call that leaves the thread, as the log has it, and as it was allowed. */
export type AllowedCall<Kind extends OutsideCall["kind"] = OutsideCall["kind"]> = Extract<
  OutsideCall,
  { kind: Kind }
> & {
  callId: string;
  /** As the model named it. */
  tool: string;
  decision: Decision;
  /** Of the run, as the thread named it. */
  spanId: string | undefined;
};

/**
 * The calls that leave the thread and that a run was allowed. Each is done once, as it stands in the log, and no thread
 * reports on one: nobody makes up evidence about itself.
 */
export class CallBook {
  readonly #allowed = new Map<string, AllowedCall | undefined>();

  has(callId: string): boolean {
    return this.#allowed.has(callId);
  }

  allow(call: AllowedCall): void {
    this.#allowed.set(call.callId, call);
  }

  /** Throws Fault `internal` for one that was not allowed, or that was taken before. */
  take(callId: string): AllowedCall {
    const call = this.#allowed.get(callId);
    if (!call) throw new Fault("internal", `call ${callId} is none that was allowed and has yet to run`);
    this.#allowed.set(callId, undefined);
    return call;
  }
}
