import { describe, expect, it } from "vitest";
import { ModelFailed, type ModelRequest } from "../../src/model/model.ts";
import type { Endpoint } from "../../src/protocol/endpoint.ts";
import { type Answer, answered, openRawServer, sse, streamed } from "../support/raw-server.ts";
import { ask, listener, servedModel } from "../support/served-model.ts";

const start = { type: "message_start", message: { usage: { input_tokens: 12, output_tokens: 1 } } };
const text = (said: string) => [
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: said } },
];
const end = { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 20 } };
const stop = { type: "message_stop" };
const whole = sse(start, ...text("Hi"), end, stop);
const message = { type: "message", content: [{ type: "text", text: "Hi" }], stop_reason: "end_turn" };

const sent =
  (body: string, type?: string): Answer =>
  (response) =>
    void response.writeHead(200, type ? { "content-type": type } : {}).end(body);

async function answerTo(answer: Answer, endpoint: Partial<Endpoint> = {}, request: Partial<ModelRequest> = {}) {
  await using server = await openRawServer(answer);
  return await (await servedModel(server.url, endpoint)).answer(ask(request), listener());
}

async function failureTo(answer: Answer, endpoint: Partial<Endpoint> = {}): Promise<ModelFailed> {
  const thrown: unknown = await answerTo(answer, endpoint).catch((error: unknown) => error);
  if (thrown instanceof ModelFailed) return thrown;
  throw new Error("it did not fail as a model fails", { cause: thrown });
}

const said = [{ type: "text", text: "Hi" }];

describe("an answer that is all there", () => {
  it("is taken although the connection stays open, and nobody waits for that; then it is left", async () => {
    await using server = await openRawServer((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(whole);
    });
    const answer = await (await servedModel(server.url)).answer(ask(), listener());
    expect(answer.content).toEqual(said);
    await server.allClosed();
  });

  it("is taken although the connection breaks behind the reason of its end", async () => {
    for (const body of [whole, sse(start, ...text("Hi"), end)]) {
      const answer = await answerTo((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(body, () => setTimeout(() => response.destroy(), 20));
      });
      expect(answer).toMatchObject({ content: said, usage: { output_tokens: 20 } });
    }
    const silent = await answerTo((response) => void response.writeHead(200).write(sse(start, ...text("Hi"), end)), {
      stall_ms: 50,
    });
    expect(silent.content).toEqual(said);
  });

  it("is told as what it is, whatever its headers say", async () => {
    for (const type of ["text/plain", "text/event-stream", "application/json", undefined]) {
      expect((await answerTo(sent(`\n ${JSON.stringify(message)}`, type))).content).toEqual(said);
      expect((await answerTo(sent(`\ufeff\n: hi\n\n${whole}`, type))).content).toEqual(said);
    }
  });

  it("may have its kinds beside its events alone", async () => {
    const bare = whole.replaceAll(/"type":"(message|content_block)_\w+",?/g, "");
    expect((await answerTo(sent(bare, "text/event-stream"))).content).toEqual(said);
  });

  it("has its tokens guessed where they were told before it spoke alone", async () => {
    const long = "hello ".repeat(100);
    const untold = { type: "message_delta", delta: { stop_reason: "end_turn" } };
    const { usage } = await answerTo(streamed(start, ...text(long), untold, stop));
    expect(usage).toMatchObject({ input_tokens: 12, is_assumed: true });
    expect(usage.output_tokens).toBeGreaterThan(100);
  });

  it("of absurd counts is counted as far as sums stay exact", async () => {
    const { usage } = await answerTo(
      answered(200, { ...message, usage: { input_tokens: 1e12, output_tokens: 1e300 } }),
    );
    expect(usage).toMatchObject({ input_tokens: 1e9, output_tokens: 1e9 });
  });
});

describe("an error in the place of an answer", () => {
  const stream = (body: string) => failureTo(sent(body, "text/event-stream"));

  it("is understood with and without its kind, in a stream and as a message", async () => {
    const error = { error: { message: "the gpu is gone", type: "api_error" } };
    const lost = { kind: "lost", message: expect.stringContaining("the gpu is gone") };
    expect(await stream(`data: ${JSON.stringify(error)}\n\n`)).toMatchObject(lost);
    expect(await stream(`event: error\ndata: ${JSON.stringify(error)}\n\n`)).toMatchObject(lost);
    expect(await failureTo(answered(200, error))).toMatchObject(lost);
    expect(await failureTo(answered(200, { error: "the gpu is gone" }))).toMatchObject(lost);
    const long = { error: { message: "prompt is too long: 9 tokens > 8", type: "BadRequestError" } };
    expect(await stream(`data: ${JSON.stringify(long)}\n\ndata: [DONE]\n\n`)).toMatchObject({ kind: "too_long" });
  });

  it("that is a stream of another language is refused", async () => {
    const other = 'data: {"object":"chat.completion.chunk","choices":[]}\n\ndata: [DONE]\n\n';
    expect(await stream(other)).toMatchObject({ kind: "refused", remedy: expect.stringContaining("address") });
    expect(await stream("<html>hello</html>")).toMatchObject({ kind: "refused" });
    expect(await stream("")).toMatchObject({ kind: "lost" });
  });

  it("is told without the key, also where the key stands at the cut", async () => {
    const key = "sk-very-secret-key-of-the-endpoint";
    for (let pad = 470; pad < 505; pad++) {
      const error = { type: "error", error: { type: "api_error", message: `${"x".repeat(pad)}${key}` } };
      const { message } = await failureTo(streamed(error), { api_key: key });
      expect(message).not.toContain("sk-very");
    }
  });
});

describe("a server without an end", () => {
  it("that only pings is left", async () => {
    await using server = await openRawServer((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(sse(start));
      const timer = setInterval(() => response.write(sse({ type: "ping" })), 10);
      response.on("close", () => clearInterval(timer));
    });
    const model = await servedModel(server.url, { first_chunk_ms: 300, stall_ms: 50 });
    await expect(model.answer(ask(), listener())).rejects.toMatchObject({
      kind: "lost",
      message: expect.stringContaining("said nothing"),
    });
    await server.allClosed();
  });

  it("that says more than anybody reads is refused", async () => {
    const flood = sse(...text("x".repeat(1_000_000)).slice(1)).repeat(5);
    expect(await failureTo(sent(sse(start) + flood, "text/event-stream"))).toMatchObject({
      kind: "refused",
      isBilled: true,
    });
    const content = [{ type: "tool_use", id: "a", name: "write", input: { content: "x".repeat(5_000_000) } }];
    expect(await failureTo(answered(200, { ...message, content }))).toMatchObject({ kind: "refused" });
  });
});

it("A refusal that repeats the request leaves nothing out because of its words.", async () => {
  await using server = await openRawServer((response, { body }) => {
    const detail = [{ loc: ["body", "max_tokens"], msg: "Input should be less than or equal to 50", input: body }];
    return answered(422, { detail })(response, { method: "", path: "", headers: {}, body });
  });
  const hearing = listener();
  const messages: ModelRequest["messages"] = [
    { role: "user", content: [{ type: "text", text: "explain the stream, the ttl and the thinking" }] },
  ];
  const failed = (await servedModel(server.url)).answer(ask({ messages }), hearing);
  await expect(failed).rejects.toMatchObject({ message: expect.stringContaining("body.max_tokens: Input should be") });
  expect(server.requests).toHaveLength(1);
  expect(hearing.signs).toMatchObject([{ at: "answered" }]);
});

it("Thoughts that an endpoint finds changed are left out, of this conversation alone.", async () => {
  const words =
    "messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified";
  await using server = await openRawServer(
    answered(400, { type: "error", error: { type: "invalid_request_error", message: words } }),
    answered(200, message),
  );
  const messages: ModelRequest["messages"] = [
    { role: "user", content: [{ type: "text", text: "a" }] },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "x", signature: "s" },
        { type: "text", text: "b" },
      ],
    },
    { role: "user", content: [{ type: "text", text: "c" }] },
  ];
  const hearing = listener();
  await (await servedModel(server.url)).answer(ask({ messages }), hearing);
  expect(JSON.stringify(server.requests[0]?.body)).toContain("thinking");
  expect(JSON.stringify(server.requests[1]?.body)).not.toContain("thinking");
  expect(hearing.signs).toMatchObject([{ status: 400 }, { status: 200 }]);
});

it("Calls have ids of their own for the whole run, also where turns were left out of the request.", async () => {
  const call = { type: "tool_use", name: "read", input: {} };
  const content = [call, { ...call, id: "same" }];
  await using server = await openRawServer(answered(200, { ...message, content, stop_reason: "tool_use" }));
  const model = await servedModel(server.url);
  const ids: string[] = [];
  for (let turn = 0; turn < 4; turn++) {
    const answer = await model.answer(ask(), listener());
    ids.push(...answer.content.flatMap((block) => (block.type === "tool_use" ? [block.id] : [])));
  }
  expect(new Set(ids).size).toBe(8);
});
