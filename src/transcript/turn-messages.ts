import type { FactData } from "../protocol/event.ts";
import type { AnswerBlock, Message, ToolResult, ToolUse } from "../protocol/message.ts";
import type { Pointer } from "../protocol/run-fact.ts";
import { pairResults, soundAnswer } from "./repair.ts";
import { pointerSize, type TurnSize } from "./shorten.ts";

/** One answer and what it was told in return: the results of its calls first, then what was said beside them. */
export interface Turn {
  readonly said: Message;
  readonly callIds: readonly string[];
  /** The message after it. The same object until something is added to it. */
  told(): Message;
  /** Of a call that this answer did not make, or that has its result, there is none. */
  result(of: { call_id: string; is_error: boolean; pointer?: Pointer | undefined }, content: string): void;
  note(note: Note): void;
  /** Puts a line in the place of those results that it has. */
  point(ids: ReadonlySet<string>): void;
  pointed(): string[];
  /** What was said from outside, which is to be known for as long as the run goes on. */
  lasting(): string[];
  size(): TurnSize;
}

export type Note = FactData<"run.notified">;

export function createTurn(answer: readonly AnswerBlock[]): Turn {
  const said: Message = { role: "assistant", content: soundAnswer(answer) };
  const calls = said.content.flatMap((block) => (block.type === "tool_use" ? [block] : []));
  const results = new Map<string, ToolResult>();
  const artifacts = new Map<string, string>();
  const pointed = new Set<string>();
  const notes: Note[] = [];
  let made: Message | undefined;
  return {
    said,
    callIds: calls.map(({ id }) => id),
    told() {
      made ??= tell(pairResults(calls, results), notes);
      return made;
    },
    result({ call_id: id, is_error: isError, pointer }, content) {
      if (results.has(id) || !calls.some((call) => call.id === id)) return;
      made = undefined;
      results.set(id, { type: "tool_result", tool_use_id: id, content, ...(isError ? { is_error: true } : {}) });
      if (pointer?.path.startsWith("artifact:")) artifacts.set(id, pointer.path);
    },
    note(note) {
      made = undefined;
      notes.push(note);
    },
    point(ids) {
      for (const call of calls) {
        const result = results.get(call.id);
        if (!result || pointed.has(call.id) || !ids.has(call.id)) continue;
        made = undefined;
        pointed.add(call.id);
        results.set(call.id, { ...result, content: pointerLine(call, artifacts.get(call.id)) });
      }
    },
    pointed: () => calls.flatMap(({ id }) => (pointed.has(id) ? [id] : [])),
    lasting: () => notes.flatMap(({ kind, text }) => (kind === "steer" || kind === "budget" ? [text] : [])),
    size: () => sizeOf(said, { notes, results: [...results.values()], pointed }),
  };
}

function tell(results: ToolResult[], notes: readonly Note[]): Message {
  const texts = notes.flatMap(({ text }) => (text.trim() === "" ? [] : [{ type: "text" as const, text }]));
  const content = [...results, ...texts];
  return { role: "user", content: content.length > 0 ? content : [{ type: "text", text: "Go on." }] };
}

/** One line, whatever the call. */
function pointerLine({ name, input }: ToolUse, artifact: string | undefined): string {
  const again = artifact ? `its text is kept at ${artifact}` : "ask for it again, in smaller parts, if you need it";
  return `[left out to make room: the result of ${name} ${subjectOf(input)}; ${again}]`;
}

const naming = ["file_path", "path", "pattern", "command", "name"];

function subjectOf(input: unknown): string {
  const fields = new Map<string, unknown>(typeof input === "object" && input !== null ? Object.entries(input) : []);
  const named = naming.map((name) => fields.get(name)).find((value) => typeof value === "string");
  const text = typeof named === "string" ? named : (JSON.stringify(input) ?? "");
  return text.replace(/\s+/g, " ").slice(0, mostSubject).toWellFormed();
}

const mostSubject = 100;

interface Held {
  notes: readonly Note[];
  results: readonly ToolResult[];
  pointed: ReadonlySet<string>;
}

function sizeOf(said: Message, { notes, results, pointed }: Held): TurnSize {
  const fresh = results.filter((result) => !pointed.has(result.tool_use_id));
  const spoken = JSON.stringify(said.content).length;
  const told = notes.reduce((sum, { text }) => sum + text.length, spoken + pointed.size * pointerSize);
  return {
    size: fresh.reduce((sum, { content }) => sum + content.length, told),
    results: fresh.map(({ tool_use_id: id, content }) => ({ id, size: content.length })),
  };
}
