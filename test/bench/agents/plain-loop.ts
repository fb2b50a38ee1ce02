import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";

/**
 * The baseline: what somebody writes first. One process, one thread, the official SDK with its own stream helper, a loop
 * an agent, tools on the disk; no log, no scope, no isolation, no trace.
 * `node plain-loop.ts FOLDER AGENTS OPENING` (the system text and the tools of the other side, marked as there) with ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
 */
interface Opening {
  system: Anthropic.TextBlockParam[];
  tools: Anthropic.Tool[];
}

const [folder = "", agents = "1", openingFile = ""] = process.argv.slice(2);
const client = new Anthropic({ maxRetries: 2 });
const { system, tools }: Opening = JSON.parse(await readFile(openingFile, "utf8"));
const mark = { cache_control: { type: "ephemeral" as const } };
const parts = Array.from({ length: Number(agents) }, (_, index) => `part-${index}`);
await Promise.all(parts.map(runAgent));

async function runAgent(part: string): Promise<void> {
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: [{ type: "text", text: promptOf(part) }] }];
  for (;;) {
    const message = await client.messages
      .stream({
        model: "claude-sonnet-5-5",
        max_tokens: 8_192,
        system,
        tools,
        messages: marked(messages),
      })
      .finalMessage();
    messages.push({ role: "assistant", content: message.content });
    const results: Anthropic.ToolResultBlockParam[] = [];
    for (const block of message.content) {
      if (block.type !== "tool_use") continue;
      if (block.name === "submit") return;
      results.push({ type: "tool_result", tool_use_id: block.id, content: await runTool(block.name, block.input) });
    }
    if (results.length === 0) return;
    messages.push({ role: "user", content: results });
  }
}

/** The rolling breakpoint: on the last block alone. */
function marked(messages: readonly Anthropic.MessageParam[]): Anthropic.MessageParam[] {
  const last = messages.at(-1);
  if (last?.role !== "user" || typeof last.content === "string") return [...messages];
  const blocks = last.content as (Anthropic.TextBlockParam | Anthropic.ToolResultBlockParam)[];
  const content = blocks.map((block, index) => (index === blocks.length - 1 ? { ...block, ...mark } : block));
  return [...messages.slice(0, -1), { role: "user", content }];
}

async function runTool(name: string, input: unknown): Promise<string> {
  const { file_path: path = "", old_string: old = "", new_string: fresh = "" } = input as Record<string, string>;
  const file = join(folder, path);
  const text = await readFile(file, "utf8");
  if (name === "read") {
    return text
      .split("\n")
      .map((line, index) => `${String(index + 1).padStart(6)}\t${line}`)
      .join("\n");
  }
  const at = text.indexOf(old);
  if (at === -1 || text.indexOf(old, at + 1) !== -1) return "old_string does not occur exactly once";
  await writeFile(file, text.slice(0, at) + fresh + text.slice(at + old.length));
  return "1 replacement";
}

function promptOf(part: string): string {
  return `Raise the limits in ${part}.\n\nFiles:\n${[1, 2, 3, 4].map((file) => `- ${part}/file-${file}.js`).join("\n")}`;
}
