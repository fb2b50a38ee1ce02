import fc from "fast-check";
import { expect, it } from "vitest";
import { requestBody } from "../../src/model/request.ts";
import type { Message } from "../../src/protocol/message.ts";
import { answered, openRawServer, streamed } from "../support/raw-server.ts";
import { ask, listener, servedModel } from "../support/served-model.ts";

const options = { model: "m", maxTokens: 9, cache: true, longCache: false, betas: false, dropped: new Set<string>() };
const user = (...texts: string[]): Message => ({
  role: "user",
  content: texts.map((text) => ({ type: "text", text })),
});
const mark = { cache_control: { type: "ephemeral" } };

it("A request without a cache is in the oldest form there is.", () => {
  const { body, sent } = requestBody(ask(), { ...options, cache: false });
  expect(body).toEqual({
    model: "m",
    max_tokens: 9,
    system: "Be brief.",
    tools: [{ name: "read", description: "Reads a file.", input_schema: { type: "object" } }],
    messages: [user("Hello.")],
    stream: true,
  });
  expect([...sent]).toEqual(["stream"]);
});

it("A cache is asked for after the tools, the system text and what the request names, for an hour only where that can be had.", () => {
  const request = ask({
    messages: [user("brief", "task"), { role: "assistant", content: [{ type: "text", text: "a" }] }, user("last")],
    breakpoints: [
      { message: 0, block: 0 },
      { message: 2, block: 0 },
    ],
  });
  const { body } = requestBody(request, options);
  expect(body.tools?.at(-1)).toMatchObject(mark);
  expect(body.system).toEqual([{ type: "text", text: "Be brief.", ...mark }]);
  expect(body.messages.map(({ content }) => content.map((block) => "cache_control" in block))).toEqual([
    [true, false],
    [false],
    [true],
  ]);
  const long = JSON.stringify(requestBody(request, { ...options, longCache: true }).body);
  // What many runs share stands before what is this run's own.
  expect([...long.matchAll(/"cache_control":\{[^}]*\}/g)].map(([found]) => found.includes("1h"))).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

it("A request holds nothing that no endpoint takes back.", () => {
  const messages: Message[] = [
    user("Go.", "  \n"),
    { role: "assistant", content: [{ type: "thinking", thinking: "unsigned" }] },
    { role: "user", content: [{ type: "text", text: "And?" }] },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "signed", signature: "s" },
        { type: "tool_use", id: "a", name: "read", input: {}, malformed: "{oops" },
      ],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "no", is_error: false }] },
  ];
  const { body } = requestBody(ask({ messages, system: "", tools: [] }), options);
  expect(body).not.toHaveProperty("system");
  expect(body).not.toHaveProperty("tools");
  expect(body.messages).toEqual([
    {
      role: "user",
      content: [
        { type: "text", text: "Go." },
        { type: "text", text: "And?" },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "signed", signature: "s" },
        { type: "tool_use", id: "a", name: "read", input: {} },
      ],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "no" }] },
  ]);
});

const block = fc.oneof(
  fc.record({ type: fc.constant("text" as const), text: fc.string() }),
  fc.record({ type: fc.constant("tool_result" as const), tool_use_id: fc.string(), content: fc.string() }),
);
const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ role: fc.constant("user" as const), content: fc.array(block, { maxLength: 3 }) }),
  fc.record({
    role: fc.constant("assistant" as const),
    content: fc.array(fc.record({ type: fc.constant("text" as const), text: fc.string() }), { maxLength: 3 }),
  }),
);

it("Roles of any conversation take turns, no message is empty, and all it said is there in its order.", () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 12 }), (messages) => {
      const { body } = requestBody(ask({ messages }), options);
      for (const [at, { role, content }] of body.messages.entries()) {
        expect(content.length).toBeGreaterThan(0);
        expect(role).not.toBe(body.messages[at + 1]?.role);
      }
      const said = messages
        .flatMap(({ content }): { type: string; text?: string }[] => content)
        .filter(({ type, text = "" }) => type !== "text" || text.trim() !== "");
      expect(body.messages.flatMap(({ content }) => content)).toEqual(said);
    }),
  );
});

it("Thoughts whose signatures do not fit any more are left out of this run's requests, and of no other's.", async () => {
  await using server = await openRawServer(
    answered(400, { error: { message: "messages.1.content.0: Invalid `signature` in `thinking` block" } }),
    streamed({ type: "message_delta", delta: { stop_reason: "end_turn" } }, { type: "message_stop" }),
  );
  const messages: Message[] = [
    user("Go."),
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "t", signature: "old" },
        { type: "text", text: "Well" },
      ],
    },
    user("On."),
  ];
  const hearing = listener();
  const model = await servedModel(server.url);
  await model.answer(ask({ messages }), hearing);
  await model.answer(ask({ messages }), hearing);
  await (await servedModel(server.url)).answer(ask({ messages }), hearing);
  expect(server.requests.map(({ body }) => JSON.stringify(body).includes("signature"))).toEqual([
    true,
    false,
    false,
    true,
  ]);
  expect(hearing.signs.filter(({ at }) => at === "dropped")).toEqual([]);
});
