import type { ModelAnswer } from "../model/model.ts";
import type { Failure } from "../protocol/failure.ts";
import type { ToolUse } from "../protocol/message.ts";

/**
 * What an answer comes to. Pure. It believes no answer that holds nothing: an agent is done when it says so, and one that
 * said nothing, or was cut off, is told and asked again.
 */
export type Reading =
  /** Its calls are to be run. `isLast`: there is nothing to come after them. */
  | { kind: "calls"; calls: readonly ToolUse[]; isLast: boolean; note?: string; isFruitless: boolean }
  | { kind: "done"; text: string }
  /** Nothing to run; `note` is what the agent is told. `failure` is the end of a run that does not get further. */
  | { kind: "nothing"; note?: string; failure: Failure }
  | { kind: "refused"; failure: Failure };

export function readAnswer(answer: ModelAnswer, { isScript }: { isScript: boolean }): Reading {
  const { content, stop } = answer;
  const text = content
    .flatMap((block) => (block.type === "text" ? [block.text] : []))
    .join("\n")
    .trim();
  if (stop === "refusal") return { kind: "refused", failure: refusal(text) };
  const calls = content.flatMap((block) => (block.type === "tool_use" ? [block] : []));
  if (calls.length > 0) return readCalls(calls, answer);
  if (stop === "end_turn" && (text !== "" || isScript)) return { kind: "done", text };
  if (isScript && stop === "tool_use") return { kind: "nothing", failure: failures.empty };
  return silences[stop];
}

function readCalls(calls: readonly ToolUse[], { stop }: ModelAnswer): Reading {
  const isCut = stop === "max_tokens" || stop === "too_long";
  const isLost = calls.some(({ malformed }) => malformed !== undefined);
  return {
    kind: "calls",
    calls,
    isLast: stop === "end_turn",
    isFruitless: calls.every(({ malformed }) => malformed !== undefined),
    ...(isCut ? { note: isLost ? notes.cutCall : notes.cut } : {}),
  };
}

const notes = {
  empty: "Your last answer was empty. Go on with the task; if it is done, call submit.",
  noCall:
    "Your last answer ended as if it called a tool, but held no call. Call the tool, or call submit if the task is done.",
  cut: "Your last answer was cut off at the most tokens that one answer may have. Go on, in shorter answers.",
  cutCall:
    "Your last answer was cut off in the middle of a call, at the most tokens that one answer may have; that call was " +
    "not run. Make it again in smaller parts: write a large file in pieces, with edit for what comes after the first.",
  tooLong:
    "Your last answer was cut off because the context was full. Older results are left out now. Go on, in shorter answers.",
  paused: "Go on.",
};

const failures = {
  empty: {
    code: "empty_answers",
    message: "the model gave one empty answer after the other",
    remedy: "try it again, with another model, or with a prompt that says more plainly what is to be done",
  },
  cut: {
    code: "max_tokens",
    message: "one answer after the other was cut off before it came to a call",
    remedy: "make the task smaller, or give it to a model with longer answers",
  },
  paused: {
    code: "empty_answers",
    message: "the model paused its turn again and again without going on",
    remedy: "try it again, or with another model",
  },
} satisfies Record<string, Failure>;

type Silence = Extract<Reading, { kind: "nothing" }>;

const silences: Readonly<Record<Exclude<ModelAnswer["stop"], "refusal">, Silence>> = {
  end_turn: { kind: "nothing", note: notes.empty, failure: failures.empty },
  tool_use: { kind: "nothing", note: notes.noCall, failure: failures.empty },
  max_tokens: { kind: "nothing", note: notes.cut, failure: failures.cut },
  too_long: { kind: "nothing", note: notes.tooLong, failure: failures.cut },
  pause_turn: { kind: "nothing", note: notes.paused, failure: failures.paused },
};

function refusal(text: string): Failure {
  const said = text === "" ? "" : `: ${text.slice(0, mostRefusal).toWellFormed()}`;
  return {
    code: "refused",
    message: `the model refused to go on${said}`,
    remedy: "read what it was asked (sheaf logs), and say it differently or give it to another model",
  };
}

/** Characters. */
const mostRefusal = 1_000;
