import type { Redactor } from "../../telemetry/redact.ts";
import { toolNames } from "../../tools/catalog.ts";

/**
 * Takes secrets out of a fact or a result before it is kept, wherever somebody else's words may stand in it. Ids, states,
 * hashes and paths of files stay as they are: the log is read by them, and no secret that happens to be a common word
 * may break that. Pure: what holds no secret is returned as it is, which one look at all its words together finds out.
 */
export function redactRecord<Value>(value: Value, redact: Redactor): Value {
  const texts: string[] = [];
  gather(value, false, texts);
  const together = texts.join(seam);
  return redact(together) === together ? value : (walk(value, redact, false) as Value);
}

/** No part of a token, of a line of base64 or of a break between two: what is found in one text is found in all. */
const seam = "\u0001";

/** Of the facts (event.ts), the result (result.ts) and what they hold: texts that commands, agents and models wrote. */
const words = new Set([
  ...["text", "input", "content", "summary", "claims", "refused"],
  ...["message", "remedy", "reason", "log", "detail", "tail", "failing"],
  ...["hunks", "note", "suggestion", "why"],
  ...["thinking", "malformed", "prompt", "request_id", "model"],
  // An endpoint makes these as it likes; each stands for the same one wherever it is met again.
  ...["signature", "call_id", "pointed", "dropped"],
]);

/** Puts all that `walk` would have looked at to the others. */
function gather(value: unknown, isWords: boolean, texts: string[]): void {
  if (typeof value === "string") {
    if (isWords) texts.push(value);
  } else if (Array.isArray(value)) {
    for (const item of value) gather(item, isWords, texts);
  } else if (typeof value === "object" && value !== null) {
    gatherOf(value, isWords, texts);
  }
}

function gatherOf(value: object, isWords: boolean, texts: string[]): void {
  for (const [key, item] of Object.entries(value)) {
    if (isWords) texts.push(key);
    gather(item, isWords || holdsWords(key, item, value), texts);
  }
}

function walk(value: unknown, redact: Redactor, isWords: boolean): unknown {
  if (typeof value === "string") return isWords ? redact(value) : value;
  if (Array.isArray(value)) return value.map((item) => walk(item, redact, isWords));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      isWords ? redact(key) : key,
      walk(item, redact, isWords || holdsWords(key, item, value)),
    ]),
  );
}

function holdsWords(key: string, item: unknown, of: object): boolean {
  if (typeof item === "number" || typeof item === "boolean") return false;
  return (words.has(key) && !isStructure(key, item)) || isInvented(key, item, of) || isOpaque(key, item, of);
}

/** A reason is words, or holds some beside the names of a task and a check. */
function isStructure(key: string, item: unknown): boolean {
  return key === "reason" && typeof item === "object";
}

/** The name of a tool is an agent's own word where no such tool is known; those of servers are somebody else's. */
function isInvented(key: string, item: unknown, of: object): boolean {
  const isName = key === "tool" || (key === "name" && "type" in of && of.type === "tool_use");
  return isName && typeof item === "string" && !known.has(item);
}

/** The id of a call, and a thought that is not shown, are an endpoint's own too. */
function isOpaque(key: string, item: unknown, of: object): boolean {
  if (typeof item !== "string" || !("type" in of)) return false;
  return (key === "id" && of.type === "tool_use") || (key === "data" && of.type === "redacted_thinking");
}

const known = new Set([...toolNames, "plan"]);
