import type { ToolUse } from "../protocol/message.ts";
import { asObject, isDeeperThan, type Json, parseJson, textAt } from "./json.ts";

/**
 * A call on its way in. Its input may come in pieces, in one piece, or complete at the start, and once or again; what is
 * no JSON object in the end is kept as text, so that the tool is not run with something else.
 */
export interface OpenToolUse {
  type: "tool_use";
  id: string;
  name: string;
  /** What stood in the input at the start. */
  whole: unknown;
  pieces: string[];
}

export function openToolUse(block: Json): OpenToolUse {
  return {
    type: "tool_use",
    id: textAt(block, "id"),
    name: textAt(block, "name") || "unknown",
    whole: block.input,
    pieces: [],
  };
}

export function addInput(open: OpenToolUse, piece: unknown): void {
  if (typeof piece === "string") open.pieces.push(piece);
  else if (asObject(piece)) open.whole = piece;
}

/** `isCut`: the answer ended in it. Its id is as it came, maybe "". */
export function closeToolUse({ id, name, whole, pieces }: OpenToolUse, isCut: boolean): ToolUse {
  const joined = pieces.join("");
  const text = joined.trim() === "" && typeof whole === "string" ? whole : joined;
  if (text.trim() === "") return bare({ id, name, whole, isCut });
  const input = inputIn(text) ?? repeatedIn(pieces);
  if (!input) return malformed(id, name, text);
  const isEmpty = Object.keys(input).length === 0;
  return isEmpty && asObject(whole) ? bare({ id, name, whole, isCut: false }) : sound({ id, name, input });
}

function bare({ id, name, whole, isCut }: { id: string; name: string; whole: unknown; isCut: boolean }): ToolUse {
  if (isDeeperThan(deepest, whole)) return malformed(id, name, tooDeep);
  const input = asObject(whole ?? {});
  if (!input) return malformed(id, name, JSON.stringify(whole));
  return isCut && Object.keys(input).length === 0 ? malformed(id, name, "") : { type: "tool_use", id, name, input };
}

/** Of arrays and objects in an input; no tool takes more than a few, and whoever keeps it has little stack. */
const deepest = 100;
const tooDeep = `(an input nested deeper than ${deepest} levels)`;

function sound({ id, name, input }: { id: string; name: string; input: Json }): ToolUse {
  return isDeeperThan(deepest, input) ? malformed(id, name, tooDeep) : { type: "tool_use", id, name, input };
}

/** Some servers write the JSON of an input as a JSON string. */
function inputIn(text: string): Json | undefined {
  const value = parseJson(text);
  return asObject(typeof value === "string" ? parseJson(value) : value);
}

/** Some servers send all that there is so far with every piece. */
function repeatedIn(pieces: readonly string[]): Json | undefined {
  const last = pieces.at(-1) ?? "";
  const isRepeated = pieces.length > 1 && pieces.every((piece) => last.startsWith(piece));
  return isRepeated ? inputIn(last) : undefined;
}

/** As much of it as tells a reader what went wrong. */
const mostMalformed = 4_000;

function malformed(id: string, name: string, text: string): ToolUse {
  return { type: "tool_use", id, name, input: {}, malformed: text.slice(0, mostMalformed) };
}

/**
 * Gives calls without a usable id, and calls with one that was there before, ids of their own: the same ones each time.
 * `taken` are the ids of the run so far.
 */
export function nameCalls(calls: readonly ToolUse[], turn: number, taken: ReadonlySet<string>): ToolUse[] {
  const used = new Set(taken);
  return calls.map((call, index) => {
    const id = isUsable(call.id) && !used.has(call.id) ? call.id : freeId(used, turn, index);
    used.add(id);
    return id === call.id ? call : { ...call, id };
  });
}

/** What every endpoint takes back, and what can name a thing among others: `__proto__` cannot. */
function isUsable(id: string): boolean {
  return /^[\w-]{1,200}$/.test(id) && !(id in Object.prototype);
}

function freeId(used: ReadonlySet<string>, turn: number, index: number): string {
  const name = `call_${turn}_${index + 1}`;
  let id = name;
  for (let again = 2; used.has(id); again++) id = `${name}_${again}`;
  return id;
}
