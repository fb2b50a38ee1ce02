import Anthropic from "@anthropic-ai/sdk";
import { expect, test } from "vitest";
import type { Reply } from "./messages/reply.ts";
import { openMessagesServer } from "./messages-server.ts";

const tools: Anthropic.Tool[] = [{ name: "read", description: "r".repeat(80), input_schema: { type: "object" } }];
const kept = { cache_control: { type: "ephemeral" as const } };
const system = (text: string): Anthropic.TextBlockParam[] => [{ type: "text", text, ...kept }];
const ask = (messages: Anthropic.MessageParam[], more: object = {}) => ({
  ...{ model: "claude-test", max_tokens: 1_000, system: system("s".repeat(400)), tools, messages },
  ...more,
});

async function opened(options: Partial<Parameters<typeof openMessagesServer>[0]> = {}) {
  const server = await openMessagesServer({ behave: () => ({ say: "Done." }), leastTokens: 10, ...options });
  return { server, client: new Anthropic({ apiKey: server.key, baseURL: server.url, maxRetries: 0 }) };
}

test("a conversation reads what its turn before has written, by the official client, streamed and whole", async () => {
  const call = { name: "read", input: { file_path: "a.ts" } };
  const { server, client } = await opened({
    behave: ({ turn }) => (turn === 1 ? { say: "I look.", calls: [call] } : { say: "Done." }),
  });
  await using _ = server;
  const opening: Anthropic.MessageParam = { role: "user", content: "Go." };
  const first = await client.messages.stream(ask([opening])).finalMessage();
  expect(first).toMatchObject({
    stop_reason: "tool_use",
    content: [
      { type: "text", text: "I look." },
      { type: "tool_use", ...call },
    ],
  });
  const [, use] = first.content;
  const id = use?.type === "tool_use" ? use.id : "";
  const results: Anthropic.MessageParam = {
    role: "user",
    content: [{ type: "tool_result", tool_use_id: id, content: "text", ...kept }],
  };
  const second = await client.messages.create(ask([opening, { role: "assistant", content: first.content }, results]));
  expect(second.usage.cache_read_input_tokens).toBe(first.usage.cache_creation_input_tokens);
  expect(second.usage.cache_creation_input_tokens).toBeGreaterThan(0);
  expect(second.usage.input_tokens).toBe(0);
  expect(server.total()).toMatchObject({ requests: 2, cache_read_tokens: second.usage.cache_read_input_tokens });
});

test("what a request wrote can be read when its answer has begun, and not before", async () => {
  const waiting: (() => void)[] = [];
  const held = new Promise<void>((resolve) => waiting.push(resolve));
  const { server, client } = await opened({
    behave: async ({ first }): Promise<Reply> => {
      if (first === "one") await held;
      return { say: "Done." };
    },
  });
  await using _ = server;
  const one = client.messages.create(ask([{ role: "user", content: "one" }]));
  while (server.open === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const two = await client.messages.create(ask([{ role: "user", content: "two" }]));
  for (const go of waiting) go();
  await one;
  const three = await client.messages.create(ask([{ role: "user", content: "three" }]));
  expect(two.usage.cache_read_input_tokens).toBe(0);
  expect(three.usage.cache_read_input_tokens).toBe(two.usage.cache_creation_input_tokens);
});

test("a prefix that is too short, of another model, or five minutes old is not read", async () => {
  let now = 0;
  const { server, client } = await opened({ leastTokens: 100, now: () => now });
  await using _ = server;
  const short = await client.messages.create(
    ask([], { messages: [{ role: "user", content: "a" }], system: system("s") }),
  );
  expect(short.usage).toMatchObject({ cache_creation_input_tokens: 0, cache_read_input_tokens: 0 });
  const go: Anthropic.MessageParam[] = [{ role: "user", content: "a" }];
  const read = async (more = {}) => (await client.messages.create(ask(go, more))).usage.cache_read_input_tokens;
  expect(await read()).toBe(0);
  expect(await read()).toBeGreaterThan(0);
  expect(await read({ model: "claude-other" })).toBe(0);
  now = 299_000;
  expect(await read()).toBeGreaterThan(0);
  now = 700_000;
  expect(await read()).toBe(0);
});

test("what the real endpoint refuses is refused, with its status and the place", async () => {
  const { server, client } = await opened({ contextTokens: 2_000, mostOutput: 1_500, models: ["claude-test"] });
  await using _ = server;
  const user = (content: Anthropic.MessageParam["content"]): Anthropic.MessageParam => ({ role: "user", content });
  const use = { type: "tool_use" as const, id: "toolu_1", name: "read", input: {} };
  const said: Anthropic.MessageParam = { role: "assistant", content: [use] };
  const result = { type: "tool_result" as const, tool_use_id: "toolu_1", content: "x" };
  const refusals: [object, number, RegExp][] = [
    [ask([user("a"), user("b")]), 400, /roles must alternate/],
    [ask([user("a"), said]), 400, /without `tool_result` blocks immediately after: toolu_1/],
    [ask([user("a"), said, user("b")]), 400, /messages\.1: `tool_use` ids were found without/],
    [ask([user("a"), said, user([{ ...result, tool_use_id: "other" }])]), 400, /unexpected `tool_use_id`/],
    [ask([user("a"), said, user([{ type: "text", text: "b" }, result])]), 400, /must come first/],
    [ask([user("a"), said, user([result]), said, user([result])]), 400, /ids must be unique/],
    [ask([user("")]), 400, /non-empty/],
    [ask([user("a")], { surprise: 1 }), 400, /surprise: Extra inputs are not permitted/],
    [ask([user([1, 2, 3, 4].map(() => ({ type: "text", text: "a", ...kept })))]), 400, /maximum of 4 .* Found 5/],
    [ask([user("a".repeat(9_000))]), 400, /prompt is too long: \d+ tokens > 2000 maximum/],
    [ask([user("a".repeat(6_000))]), 400, /exceed context limit/],
    [ask([user("a")], { max_tokens: 1_501 }), 400, /max_tokens: 1501 > 1500/],
    [ask([user("a")], { model: "claude-none" }), 404, /model: claude-none/],
  ];
  for (const [body, status, message] of refusals) {
    const refused = await client.messages.create(body as Anthropic.MessageCreateParamsNonStreaming).catch((e) => e);
    expect(refused.status, String(message)).toBe(status);
    expect(refused.message).toMatch(message);
  }
  const stranger = new Anthropic({ apiKey: "another", baseURL: server.url, maxRetries: 0 });
  await expect(stranger.messages.create(ask([user("a")]))).rejects.toMatchObject({ status: 401 });
  expect(server.total()).toMatchObject({ requests: 0, refused: refusals.length });
});

test("it says a rate as the real endpoint does, and an answer is cut where its tokens end", async () => {
  const { server, client } = await opened({
    rate: { perMinute: 60, burst: 1 },
    now: () => 0,
    behave: () => ({ calls: [{ name: "read", input: { text: "t".repeat(400) } }] }),
  });
  await using _ = server;
  const go = ask([{ role: "user", content: "a" }], { max_tokens: 20 });
  const cut = await client.messages.create({ ...go, stream: true });
  let json = "";
  let stop: string | null = "";
  for await (const event of cut) {
    if (event.type === "content_block_delta" && event.delta.type === "input_json_delta")
      json += event.delta.partial_json;
    if (event.type === "message_delta") stop = event.delta.stop_reason;
  }
  expect(stop).toBe("max_tokens");
  expect(() => JSON.parse(json)).toThrow();
  const refused = await client.messages.create(go).catch((thrown) => thrown);
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(refused.headers.get("anthropic-ratelimit-requests-remaining")).toBe("0");
});
