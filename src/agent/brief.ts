import type { RunOrder } from "../protocol/thread.ts";

/** Most file names a brief spells out; an agent finds the others with list and glob. */
const namedFiles = 200;

/** What every agent is told before its first turn: who it is, where it is, how it ends. Free of times and paths of the machine. */
export function systemPrompt(order: RunOrder): string {
  const rules = [
    "You work on one task of a larger change. Other agents work on their own parts at the same time.",
    "Paths are relative to the repository root. You may edit only what your task names; anything else is denied and the denial is recorded.",
    "End with submit: what you did, and every place you saw and left alone, with the reason.",
  ].join("\n");
  return order.agent.instructions ? `${rules}\n\n${order.agent.instructions}` : rules;
}

/** The task itself, as the first message. */
export function taskPrompt(order: RunOrder): string {
  const shown = order.files.slice(0, namedFiles).map((path) => `- ${path}`);
  const more = order.files.length - shown.length;
  const files = shown.length > 0 ? `\n\nFiles:\n${shown.join("\n")}${more > 0 ? `\n- and ${more} more` : ""}` : "";
  return `${order.title}\n\n${order.prompt}${files}`.trim();
}
