import { createHash } from "node:crypto";
import type { ToolUse } from "../protocol/message.ts";
import { shortInput } from "../tools/judge.ts";
import type { Question } from "./ask-approval.ts";
import type { DecidedCall } from "./decide-call.ts";

/** A call as people are asked about it: what they see, and the hash of all of it, so that an answer is for this alone. */
export function questionOf(
  { id, name, input }: ToolUse,
  { decision, subject, command }: DecidedCall,
  spanId: string | undefined,
): Question {
  const shown = command?.text ?? subject;
  return {
    callId: id,
    tool: name,
    input: shown === "" ? shortInput(input) : shown,
    inputSha256: createHash("sha256").update(canonicalJson(input)).digest("hex"),
    decision,
    spanId,
  };
}

/** One text for one value, whatever the order of its keys. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`).join()}}`;
}
