import type { Asked, Behave, Reply } from "../support/messages/reply.ts";
import { diceOf } from "./dice.ts";

/**
 * What the agents of a chaotic job are answered: they read their file, edit it and submit, each turn after a delay of
 * its own, so that tasks end in an order of chance. By the conversation alone: a request that is made again gets the same.
 */
export const turnsPerTask = 3;

/** Milliseconds; of an answer. */
const delays = { least: 5, most: 150 };

/** A turn of a task, as `part-3 2`; undefined for a request of nobody's. */
export function turnKey({ first, turn }: Pick<Asked, "first" | "turn">): string | undefined {
  const part = /part-\d+/.exec(first)?.[0];
  return part && `${part} ${turn}`;
}

export function chatter(seed: string, { slower = 1 }: { slower?: number } = {}): Behave {
  return (asked) => {
    const key = turnKey(asked) ?? "";
    return { ...replyTo(key, asked.turn), delayMs: slower * diceOf(seed, key).whole(delays.least, delays.most) };
  };
}

function replyTo(key: string, turn: number): Reply {
  const [part = "part-0"] = key.split(" ");
  const file_path = `${part}/limit.js`;
  if (turn === 1) return { say: `I look at ${file_path}.`, calls: [{ name: "read", input: { file_path } }] };
  if (turn >= turnsPerTask) return { say: "Done.", calls: [{ name: "submit", input: { summary: `${part} is done` } }] };
  const edit = { file_path, old_string: "limit = 10;", new_string: "limit = 20;" };
  return { say: "I raise it.", calls: [{ name: "edit", input: edit }] };
}
