import type { Model, ToolSchema } from "../model/model.ts";
import type { ModelSpec } from "../protocol/agent.ts";
import type { Submission } from "../protocol/claim.ts";
import type { Endpoint } from "../protocol/endpoint.ts";
import type { FactData, ThreadFact } from "../protocol/event.ts";
import type { Usage } from "../protocol/message.ts";
import type { PastTurn } from "../protocol/past-turn.ts";
import type { Opening } from "../protocol/run-fact.ts";
import type { Span, Tracer } from "../telemetry/thread-tracer.ts";
import type { ToolContext } from "../tools/execute.ts";
import type { Fold } from "../transcript/fold.ts";
import type { Acknowledged, Line } from "./line.ts";
import type { LoopWatch } from "./loop-watch.ts";

/** What one run knows of itself from turn to turn. What its agent was told and said is the fold of its facts. */
export interface Conversation {
  readonly line: Line;
  readonly model: Model;
  readonly spec: ModelSpec;
  /** A recipe or a script: it is through when it has no more to say. */
  readonly isScript: boolean;
  readonly endpoint: Endpoint | undefined;
  /** The same bytes in every request of the run. */
  readonly system: string;
  readonly tools: readonly ToolSchema[];
  readonly hasBrief: boolean;
  /** Absent for a recipe, which nobody talks to. */
  readonly opening: Opening | undefined;
  readonly toolContext: Omit<ToolContext, "decision" | "parent" | "runCommand">;
  readonly tracer: Tracer;
  readonly span: Span;
  readonly fold: Fold;
  readonly loops: LoopWatch;
  readonly maxTurns: number;
  /** Turns that the log holds already, by their number; of a run that goes on. */
  readonly past: ReadonlyMap<number, PastTurn>;
  /** Facts not yet in the log: results of tools, denials of reads, notices. */
  readonly unlogged: ThreadFact[];
  /** Facts that were told since the last request. */
  news: ThreadFact[];
  turns: number;
  usage: Usage;
  /** Tokens of input as they were counted, for each that was estimated; 1 until one was. */
  scale: number;
  /** Most tokens of an answer where nobody set it. */
  answerTokens: number;
  /** Answers in a row that came to nothing. */
  fruitless: number;
  submission?: Submission;
}

/** A fact on its way to the log, which the agent reads with its next request. `seen`: its text, where the log says less. */
export function tell(talk: Conversation, fact: ThreadFact, seen?: string): void {
  talk.unlogged.push(fact);
  talk.news.push(fact);
  talk.fold.add(fact, seen);
}

export function notify(talk: Conversation, kind: "loop" | "turns" | "answer", text: string): void {
  tell(talk, { type: "run.notified", data: { kind, text } });
}

/** Puts what is not in the log yet there, with `facts` behind it, and hears what was said from outside. */
export async function logWith(talk: Conversation, facts: readonly ThreadFact[]): Promise<Acknowledged> {
  const acknowledged = await talk.line.append([...talk.unlogged.splice(0), ...facts], talk.span.spanId);
  for (const text of acknowledged.notices) talk.fold.add({ type: "run.notified", data: outside(text) });
  return acknowledged;
}

/** For the end of a run, and before a command: what was done before stands in the log before. */
export async function logRest(talk: Conversation): Promise<void> {
  if (talk.unlogged.length > 0) await logWith(talk, []);
}

/** In the log already, by whoever said it. */
function outside(text: string): FactData<"run.notified"> {
  return { kind: "steer", text };
}
