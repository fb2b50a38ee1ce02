import { createModelDirectory } from "../../src/coordinator/gate/model-directory.ts";
import { costOf } from "../../src/model/cost.ts";
import { messagesModel } from "../../src/model/messages.ts";
import type { ModelAnswer, ModelRequest } from "../../src/model/model.ts";
import type { ModelSign } from "../../src/protocol/endpoint.ts";
import { readModel } from "../../src/protocol/job-file-model.ts";
import type { ToolUse } from "../../src/protocol/message.ts";

/** Two turns with one call between them: says what came and what it took. False where it is not what it must be. */
export async function askDirectly(name: string): Promise<boolean> {
  const spec = readModel(name);
  if (spec.provider !== "messages") throw new Error(`${name} asks nobody`);
  const found = directory.of(spec);
  if (!found || "failure" in found) throw new Error(found?.failure.message ?? `nobody answers for ${name}`);
  const model = messagesModel({ name, model: spec.model, ...found });
  const signs: ModelSign[] = [];
  const hearing = { signal: AbortSignal.timeout(300_000), said: (sign: ModelSign) => void signs.push(sign) };
  const first = requestOf([{ role: "user", content: [{ type: "text", text: "Read a.txt and say what is in it." }] }]);
  const counted = await model.countTokens?.(first, hearing.signal);
  const asked = await model.answer(first, hearing);
  tell("first turn", asked, found.card.price);
  const call = asked.content.find((block): block is ToolUse => block.type === "tool_use");
  if (!call) return fault("it asked for no tool");
  const told = await model.answer(
    requestOf([
      ...first.messages,
      { role: "assistant", content: asked.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "The word is xylophone." }] },
    ]),
    hearing,
  );
  tell("second turn", told, found.card.price);
  console.log(`tokens of the first request: ${JSON.stringify(counted)}, estimated ${model.estimate?.(first)}`);
  console.log(`told meanwhile: ${JSON.stringify(signs)}`);
  return /xylophone/i.test(JSON.stringify(told.content)) || fault("it does not say what the tool said");
}

const directory = createModelDirectory({
  settings: {
    cards: {},
    endpoint: { capabilities: {}, firstChunkMs: 180_000, stallMs: 60_000 },
    budget: { day: {}, job: {} },
  },
  variable: (variable) => process.env[variable],
  now: Date.now,
});

/** Longer than the shortest prefix that is kept in a cache. */
const rules = Array.from({ length: 400 }, (_, at) => `Rule ${at + 1}: be exact, be brief, and read before you speak.`);

function requestOf(messages: ModelRequest["messages"]): ModelRequest {
  const input_schema = { type: "object", properties: { file_path: { type: "string" } }, required: ["file_path"] };
  return {
    system: rules.join("\n"),
    messages,
    tools: [{ name: "read", description: "Reads a file of the repository.", input_schema }],
    breakpoints: [{ message: messages.length - 1, block: 0 }],
    maxTokens: 2_000,
  };
}

function tell(
  which: string,
  { usage, stop, model, requestId }: ModelAnswer,
  price: Parameters<typeof costOf>[1],
): void {
  const cost = costOf(usage, price);
  const usd = cost === null ? "unknown" : `$${(cost / 1e9).toFixed(6)}`;
  console.log(
    `${which}: ${stop}, ${JSON.stringify(usage)}, ${usd}, ${model ?? "no model"}, ${requestId ?? "no request id"}`,
  );
}

function fault(what: string): false {
  console.error(`NOT WELL: ${what}`);
  return false;
}
