import type { Gate } from "../gate/admission.ts";
import type { PastLog } from "./past-log.ts";

/**
 * A gate for a run that goes on. Calls that its log holds were let through before, and are in the books: they neither wait
 * nor cost, and what was said to the agent with them comes back in its place.
 */
export function pastGate(gate: Gate, past: PastLog): Gate {
  return {
    async admit(facts, spanId) {
      const recalled = facts.flatMap((fact) => (past.holds(fact) ? past.noticesOf(fact) : []));
      const fresh = facts.filter((fact) => !past.holds(fact));
      const admission = await gate.admit(fresh, spanId);
      return { ...admission, notices: [...recalled, ...admission.notices] };
    },
    said: (sign) => gate.said(sign),
  };
}
