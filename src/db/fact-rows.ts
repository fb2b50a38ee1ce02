import type { Fact } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import { type Clock, newUuid } from "../protocol/ids.ts";
import type { Row } from "./append-facts.ts";

/** PostgreSQL parses json by recursion, and the embedded one has little stack. */
const deepest = 512;

/** Facts as they will lie in the log, all of the same moment. Throws Fault `conflict` for one that has no such form. */
export function factRows(facts: readonly Fact[], clock: Clock, spanId: string | null = null): Row[] {
  const at = new Date(clock.now());
  return facts.map((fact) => ({ id: newUuid(clock), type: fact.type, data: dataText(fact), spanId, at }));
}

function dataText(fact: Fact): string {
  const text = jsonText(fact);
  if (text.length > 2 * deepest && depthOf(text) > deepest) {
    throw new Fault("conflict", `the data of ${fact.type} is nested deeper than ${deepest} levels`);
  }
  return text;
}

function jsonText(fact: Fact): string {
  try {
    return JSON.stringify(fact.data);
  } catch (cause) {
    throw new Fault("conflict", `the data of ${fact.type} cannot be written as JSON`, { cause });
  }
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
