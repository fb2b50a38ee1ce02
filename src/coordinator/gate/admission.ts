import type { ModelSign } from "../../protocol/endpoint.ts";
import type { ThreadFact } from "../../protocol/event.ts";
import type { Failure } from "../../protocol/failure.ts";

/**
 * What a run is told with the acknowledgement of a model call: whether it may be made, and what was said to the agent
 * meanwhile. It waits for its rate and its budget here, after the intent is in the log.
 */
export interface Admission {
  /** Ends the run with what it has done so far. */
  stop?: Failure;
  notices: readonly string[];
}

/** The gate of one run. */
export interface Gate {
  /** After the facts are in the log. Resolves when the call that they intend, if they do, may be made. */
  admit(facts: readonly ThreadFact[], spanId: string | undefined): Promise<Admission>;
  /** What a thread tells of a call that goes on. */
  said(sign: ModelSign): void;
}

/** For runs whose model takes no tokens. */
export const openGate: Gate = { admit: async () => ({ notices: [] }), said: () => {} };
