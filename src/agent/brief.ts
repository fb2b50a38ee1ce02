import type { Leftover } from "../protocol/claim.ts";
import type { RunOrder } from "../protocol/thread.ts";

/** Most file names a brief spells out; an agent finds the others with list and glob. */
const namedFiles = 200;
/** The same for places that earlier steps left alone. */
const namedLeftovers = 200;

/** What every agent is told before its first turn: who it is, where it is, how it ends. Free of times and paths of the machine. */
export function systemPrompt(order: RunOrder): string {
  if (order.scope.tools.includes("plan")) return withInstructions(planning, order);
  const rules = [
    "You work on one task of a larger change. Other agents work on their own parts at the same time.",
    "Paths are relative to the repository root. You may edit only what your task names; anything else is denied and the denial is recorded.",
    "Calls that only read, made in one answer, run at the same time: ask for all that you need at once.",
    "End with submit: what you did, and every place you saw and left alone, with the reason.",
  ].join("\n");
  return withInstructions(rules, order);
}

const planning = [
  "You plan a change that other agents will make. You only read: nothing that you call changes a file.",
  "Paths are relative to the repository root.",
  "Calls that only read, made in one answer, run at the same time: ask for all that you need at once.",
  "End with plan. There is nothing else to hand in.",
].join("\n");

function withInstructions(rules: string, { agent }: RunOrder): string {
  return agent.instructions ? `${rules}\n\n${agent.instructions}` : rules;
}

/** The task itself, as the first message. */
export function taskPrompt(order: RunOrder): string {
  const files = listOf("Files:", { lines: order.files, most: namedFiles });
  const left = listOf("Earlier steps of this task left these places alone:", {
    lines: order.leftovers.map(leftoverLine),
    most: namedLeftovers,
  });
  return [order.title, order.prompt.trim(), files, left].filter((part) => part !== "").join("\n\n");
}

function listOf(title: string, { lines, most }: { lines: readonly string[]; most: number }): string {
  const shown = lines.slice(0, most).map((line) => `- ${line}`);
  const more = lines.length - shown.length;
  return shown.length === 0 ? "" : [title, ...shown, ...(more > 0 ? [`- and ${more} more`] : [])].join("\n");
}

/** One line: what stands there is the repository's text, and may be anything. */
function leftoverLine({ path, line, column, text, reason }: Leftover): string {
  const there = text === "" ? "" : ` ${JSON.stringify(text.slice(0, mostText).toWellFormed())}`;
  return `${path}:${line}:${column}${there}: ${reason.replace(/\s+/g, " ").slice(0, mostReason).toWellFormed()}`;
}

const mostText = 120;
const mostReason = 300;
