import type { Asked, Behave, Reply } from "../../support/messages/reply.ts";

/**
 * What the benchmark's agents are answered: they read a file and edit it, file after file, and submit; or they say a
 * long text at a pace. The same for whoever asks, by nothing but the conversation.
 */
const delayMs = Number(process.env.BENCH_DELAY_MS ?? 0);
const turns = Number(process.env.BENCH_TURNS ?? 8);
const streamed = Number(process.env.BENCH_STREAM_TOKENS ?? 0);
const tokensPerSecond = Number(process.env.BENCH_TOKENS_PER_SECOND ?? 50);

export const behave: Behave = (asked) => ({ ...replyTo(asked), ...(delayMs > 0 ? { delayMs } : {}) });

function replyTo({ first, turn }: Asked): Reply {
  const part = /part-\d+/.exec(first)?.[0] ?? "part-0";
  if (turn >= turns)
    return { say: "All of it is done.", calls: [{ name: "submit", input: { summary: `${part} is done` } }] };
  if (streamed > 0) return { ...spoken(part), tokensPerSecond };
  const file_path = `${part}/file-${Math.ceil(turn / 2)}.js`;
  if (turn % 2 === 1) return { say: `I look at ${file_path}.`, calls: [{ name: "read", input: { file_path } }] };
  const [old_string, new_string] = ["const limit = 10;", `const limit = ${turn * 100};`];
  return { say: "The limit is raised.", calls: [{ name: "edit", input: { file_path, old_string, new_string } }] };
}

function spoken(part: string): Reply {
  const say = Array.from({ length: streamed }, (_, word) => `wd${word % 10} `).join("");
  return { say, calls: [{ name: "read", input: { file_path: `${part}/file-1.js` } }] };
}
