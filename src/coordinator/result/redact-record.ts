import type { Redactor } from "../../telemetry/redact.ts";
import { toolNames } from "../../tools/catalog.ts";

/**
 * Takes secrets out of a fact or a result before it is kept, wherever somebody else's words may stand in it. Ids, states,
 * hashes and paths of files stay as they are: the log is read by them, and no secret that happens to be a common word
 * may break that. Pure.
 */
export function redactRecord<Value>(value: Value, redact: Redactor): Value {
  return walk(value, redact, false) as Value;
}

/** Of the facts (event.ts), the result (result.ts) and what they hold: texts that commands, agents and models wrote. */
const words = new Set([
  ...["text", "input", "content", "summary", "claims", "refused"],
  ...["message", "remedy", "reason", "log", "detail", "tail", "failing"],
  ...["hunks", "note", "suggestion", "why"],
  ...["thinking", "malformed", "prompt", "request_id", "model"],
  // An endpoint makes these as it likes; each stands for the same one wherever it is met again.
  ...["signature", "call_id", "pointed", "dropped"],
]);

function walk(value: unknown, redact: Redactor, isWords: boolean): unknown {
  if (typeof value === "string") return isWords ? redact(value) : value;
  if (Array.isArray(value)) return value.map((item) => walk(item, redact, isWords));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      isWords ? redact(key) : key,
      walk(
        item,
        redact,
        isWords ||
          (words.has(key) && !isStructure(key, item)) ||
          isInvented(key, item, value) ||
          isOpaque(key, item, value),
      ),
    ]),
  );
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
