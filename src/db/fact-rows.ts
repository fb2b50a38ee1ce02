import type { Fact } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import { type Clock, newUuid } from "../protocol/ids.ts";
import type { Row } from "./append-facts.ts";

/** PostgreSQL parses json by recursion, and the embedded one has little stack. */
const deepest = 512;

/** What a run said that cannot be kept, for what it is: the failure of that run, and of nobody else. */
export class UnfitFact extends Fault {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super("conflict", message, options);
    this.name = "UnfitFact";
  }
}

/** Facts as they will lie in the log, all of the same moment. Throws UnfitFact for one that has no such form. */
export function factRows(facts: readonly Fact[], clock: Clock, spanId: string | null = null): Row[] {
  const at = new Date(clock.now());
  return facts.map((fact) => ({ id: newUuid(clock), type: fact.type, data: dataText(fact), spanId, at }));
}

function dataText(fact: Fact): string {
  const text = jsonText(fact);
  if (text.length > 2 * deepest && depthOf(text) > deepest) {
    throw new UnfitFact(`the data of ${fact.type} is nested deeper than ${deepest} levels`);
  }
  return text;
}

function jsonText(fact: Fact): string {
  try {
    return JSON.stringify(fact.data);
  } catch (cause) {
    throw new UnfitFact(`the data of ${fact.type} cannot be written as JSON`, { cause });
  }
}

const [quote, backslash] = ['"'.charCodeAt(0), "\\".charCodeAt(0)];
const opening = new Set("[{".split("").map((bracket) => bracket.charCodeAt(0)));
const closing = new Set("]}".split("").map((bracket) => bracket.charCodeAt(0)));

/** Of JSON text. Strings are jumped over as a whole, however long they are; all other brackets count. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (opening.has(code)) most = Math.max(most, ++depth);
    else if (closing.has(code)) depth--;
  }
  return most;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
