import type { Fact } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import { type Clock, newUuid } from "../protocol/ids.ts";
import type { Row } from "./append-facts.ts";

/** PostgreSQL parses json by recursion, and the embedded one has little stack. */
const deepest = 512;

/** Facts as they will lie in the log, all of the same moment. Throws Fault `conflict` for one nested too deeply. */
export function factRows(facts: readonly Fact[], clock: Clock, spanId: string | null = null): Row[] {
  const at = new Date(clock.now());
  return facts.map((fact) => {
    const data = JSON.stringify(fact.data);
    if (isTooDeep(data))
      throw new Fault("conflict", `the data of ${fact.type} is nested deeper than ${deepest} levels`);
    return { id: newUuid(clock), type: fact.type, data, spanId, at };
  });
}

function isTooDeep(text: string): boolean {
  return text.length > 2 * deepest && depthOf(text) > deepest;
}

// Strings are jumped over as a whole; all other brackets count.
const token = /"(?:[^"\\]|\\.)*"|[[{]|[\]}]/g;

function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  for (const [found] of text.matchAll(token)) {
    if (found === "[" || found === "{") most = Math.max(most, ++depth);
    else if (found === "]" || found === "}") depth--;
  }
  return most;
}
