import type { Fact } from "../protocol/event.ts";
import type { Message } from "../protocol/message.ts";
import type { Manifest } from "../protocol/run-fact.ts";
import { denialText } from "./denial-text.ts";
import { createOpening } from "./opening-message.ts";
import { type Policy, planShortening } from "./shorten.ts";
import { createTurn, type Turn } from "./turn-messages.ts";

/**
 * A request's messages as a projection of the run's log: the same facts give the same messages, whether they come one by
 * one while the run goes on or all at once afterwards. It remembers nothing that the log does not say.
 */
export interface Fold {
  /** A fact as it enters the log. `seen`: what the model saw of a result where the log keeps something shorter. */
  add(fact: Fact, seen?: string): void;
  request(): Folded;
  /** Leaves out more, by the policy; false when there is nothing left that could be. */
  shorten(): boolean;
}

export interface Folded {
  /** Roles alternate from the opening on; every call has its result in the message after it. */
  messages: Message[];
  manifest: Omit<Manifest, "input_tokens">;
}

export interface Opening {
  /** What all runs of the job are told in front; may be empty. */
  brief: string;
  /** The task's own. */
  prompt: string;
}

/** All of a log at once. `contentOf`: what the model saw of a call whose result the log only points at. */
export function fold(
  facts: readonly Fact[],
  { brief, policy, contentOf }: { brief: string; policy: Policy; contentOf(callId: string): string | undefined },
): Folded {
  const [first] = facts.flatMap((fact) => (fact.type === "turn.started" ? (fact.data.opening ?? []) : []));
  const folding = createFold({ brief, prompt: first?.prompt ?? "" }, policy);
  for (const fact of facts) folding.add(fact, isPointedAt(fact) ? contentOf(fact.data.call_id) : undefined);
  return folding.request();
}

function isPointedAt(fact: Fact): fact is Extract<Fact, { type: "tool.finished" }> {
  return fact.type === "tool.finished" && fact.data.pointer !== undefined;
}

export function createFold({ brief, prompt }: Opening, policy: Policy): Fold {
  const opening = createOpening(brief, prompt);
  const turns: Turn[] = [];
  let dropped = 0;
  const kept = () => (dropped === 0 ? turns : turns.slice(dropped));

  let hasPointers = false;
  // Most runs never lose anything, and none of them pays for looking.
  const missing = () => ({
    pointed: hasPointers ? kept().flatMap((turn) => turn.pointed()) : [],
    dropped: turns.slice(0, dropped).flatMap((turn) => turn.callIds),
    ...(dropped > 0 ? { dropped_turns: dropped } : {}),
  });

  const drop = (count: number) => {
    for (const turn of turns.slice(dropped, count)) opening.takeOver(turn);
    dropped = Math.max(dropped, count);
  };
  const follow = (manifest: Pick<Manifest, "pointed" | "dropped_turns"> | undefined) => {
    drop(manifest?.dropped_turns ?? 0);
    const pointed = new Set(manifest?.pointed);
    if (pointed.size === 0) return;
    hasPointers = true;
    for (const turn of kept()) turn.point(pointed);
  };
  const add: Fold["add"] = (fact, seen) => {
    switch (fact.type) {
      case "turn.started":
      case "turn.retried":
        return follow(fact.data.manifest);
      case "turn.finished":
        turns.push(createTurn(fact.data.answer));
        return;
      case "tool.finished":
        return turns.at(-1)?.result(fact.data, seen ?? fact.data.content);
      case "tool.denied":
        return turns.at(-1)?.result({ ...fact.data, is_error: true }, seen ?? denialText(fact.data));
      case "run.notified":
        return (turns.at(-1) ?? opening).note(fact.data);
      default:
        return;
    }
  };
  return {
    add,
    request() {
      const messages = [opening.message()];
      for (const turn of kept()) messages.push(turn.said, turn.told());
      return { messages, manifest: { messages: messages.length, ...missing() } };
    },
    shorten() {
      const sizes = { opening: opening.size(), turns: kept().map((turn) => turn.size()) };
      const { point, drop: more } = planShortening(sizes, policy);
      if (point.length === 0 && more === 0) return false;
      follow({ pointed: [...point], dropped_turns: dropped + more });
      return true;
    },
  };
}
