import type { ToolUse } from "../protocol/message.ts";
import { asObject, type Json, parseJson, textAt } from "./json.ts";

/**
 * A call on its way in. Its input may come in pieces, in one piece, or complete at the start; what is no JSON object in
 * the end is kept as text, so that the tool is not run with something else.
 */
export interface OpenToolUse {
  type: "tool_use";
  id: string;
  name: string;
  /** What stood in the input at the start. */
  whole: unknown;
  pieces: string;
}

export function openToolUse(block: Json): OpenToolUse {
  return {
    type: "tool_use",
    id: textAt(block, "id"),
    name: textAt(block, "name") || "unknown",
    whole: block.input,
    pieces: "",
  };
}

export function addInput(open: OpenToolUse, piece: unknown): void {
  if (typeof piece === "string") open.pieces += piece;
  else if (asObject(piece)) open.whole = piece;
}

/** `isCut`: the answer ended in it. Its id is as it came, maybe "". */
export function closeToolUse({ id, name, whole, pieces }: OpenToolUse, isCut: boolean): ToolUse {
  const text = pieces.trim() === "" && typeof whole === "string" ? whole : pieces;
  if (text.trim() === "") return bare({ id, name, whole, isCut });
  const input = asObject(parseJson(text));
  return input ? { type: "tool_use", id, name, input } : malformed(id, name, text);
}

function bare({ id, name, whole, isCut }: { id: string; name: string; whole: unknown; isCut: boolean }): ToolUse {
  const input = asObject(whole ?? {});
  if (!input) return malformed(id, name, JSON.stringify(whole));
  return isCut && Object.keys(input).length === 0 ? malformed(id, name, "") : { type: "tool_use", id, name, input };
}

/** As much of it as tells a reader what went wrong. */
const mostMalformed = 4_000;

function malformed(id: string, name: string, text: string): ToolUse {
  return { type: "tool_use", id, name, input: {}, malformed: text.slice(0, mostMalformed) };
}

/**
 * Gives calls without an id, and calls with one that was there before, ids of their own: the same ones each time.
 * `taken` are the ids of the conversation so far.
 */
export function nameCalls(calls: readonly ToolUse[], turn: number, taken: ReadonlySet<string>): ToolUse[] {
  const used = new Set(taken);
  return calls.map((call, index) => {
    const id = call.id !== "" && call.id.length <= mostId && !used.has(call.id) ? call.id : freeId(used, turn, index);
    used.add(id);
    return id === call.id ? call : { ...call, id };
  });
}

const mostId = 200;

function freeId(used: ReadonlySet<string>, turn: number, index: number): string {
  const name = `call_${turn}_${index + 1}`;
  let id = name;
  for (let again = 2; used.has(id); again++) id = `${name}_${again}`;
  return id;
}
