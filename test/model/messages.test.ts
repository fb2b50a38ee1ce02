import { describe, expect, it } from "vitest";
import { type ModelAnswer, ModelFailed, type ModelRequest } from "../../src/model/model.ts";
import type { Endpoint } from "../../src/protocol/endpoint.ts";
import { type Answer, answered, openRawServer, sse, streamed } from "../support/raw-server.ts";
import { ask, listener, servedModel } from "../support/served-model.ts";

const start = {
  type: "message_start",
  message: {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "test-model-2",
    content: [],
    usage: {
      input_tokens: 12,
      output_tokens: 1,
      cache_read_input_tokens: 7,
      cache_creation_input_tokens: 5,
      cache_creation: { ephemeral_1h_input_tokens: 3, ephemeral_5m_input_tokens: 2 },
    },
  },
};
const stop = { type: "message_stop" };
const text = (index: number, ...pieces: string[]) => [
  { type: "content_block_start", index, content_block: { type: "text", text: "" } },
  ...pieces.map((piece) => ({ type: "content_block_delta", index, delta: { type: "text_delta", text: piece } })),
  { type: "content_block_stop", index },
];
const call = (index: number, block: Record<string, unknown>, ...pieces: unknown[]) => [
  { type: "content_block_start", index, content_block: { type: "tool_use", ...block } },
  ...pieces.map((piece) => ({
    type: "content_block_delta",
    index,
    delta: { type: "input_json_delta", partial_json: piece },
  })),
  { type: "content_block_stop", index },
];
const end = (stop_reason: string | null, usage: object = { output_tokens: 20 }) => ({
  type: "message_delta",
  delta: { stop_reason },
  usage,
});

async function answerTo(
  answer: Answer,
  request: Partial<ModelRequest> = {},
  endpoint: Partial<Endpoint> = {},
): Promise<ModelAnswer> {
  await using server = await openRawServer(answer);
  return await (await servedModel(server.url, endpoint)).answer(ask(request), listener());
}

async function failureTo(answer: Answer, endpoint: Partial<Endpoint> = {}): Promise<ModelFailed> {
  const thrown: unknown = await answerTo(answer, {}, endpoint).catch((error: unknown) => error);
  if (thrown instanceof ModelFailed) return thrown;
  throw new Error("it did not fail as a model fails", { cause: thrown });
}

describe("an answer", () => {
  it("is text and calls, with what they took, as the stream tells it", async () => {
    const answer = await answerTo(
      streamed(
        start,
        ...text(0, "Hel", "lo"),
        { type: "ping" },
        ...call(1, { id: "toolu_1", name: "read", input: {} }, '{"file_', 'path":"a.ts"}'),
        end("tool_use"),
        stop,
      ),
    );
    expect(answer).toEqual({
      content: [
        { type: "text", text: "Hello" },
        { type: "tool_use", id: "toolu_1", name: "read", input: { file_path: "a.ts" } },
      ],
      stop: "tool_use",
      usage: {
        input_tokens: 12,
        output_tokens: 20,
        cache_read_tokens: 7,
        cache_write_tokens: 5,
        cache_write_1h_tokens: 3,
      },
      model: "test-model-2",
      requestId: "req_1",
    });
  });

  it("keeps thoughts and their signatures, and drops blocks of kinds that nobody asked for", async () => {
    const answer = await answerTo(
      streamed(
        start,
        { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
        { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Hm." } },
        { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "c2ln" } },
        { type: "content_block_start", index: 1, content_block: { type: "redacted_thinking", data: "eA==" } },
        { type: "content_block_start", index: 2, content_block: { type: "server_tool_use", id: "s", name: "web" } },
        { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: "{}" } },
        { type: "something_of_next_year" },
        ...text(3, "Yes."),
        end("end_turn"),
        stop,
      ),
    );
    expect(answer.content).toEqual([
      { type: "thinking", thinking: "Hm.", signature: "c2ln" },
      { type: "redacted_thinking", data: "eA==" },
      { type: "text", text: "Yes." },
    ]);
    expect(answer.stop).toBe("end_turn");
  });

  it("may come as one JSON message although a stream was asked for", async () => {
    const message = {
      type: "message",
      model: "m",
      content: [
        { type: "text", text: "Hi" },
        { type: "tool_use", id: "a", name: "read", input: { file_path: "x" } },
      ],
      stop_reason: "tool_use",
      usage: { input_tokens: 3, output_tokens: 4 },
    };
    const answer = await answerTo(answered(200, message));
    expect(answer.content).toHaveLength(2);
    expect(answer.usage).toEqual({
      input_tokens: 3,
      output_tokens: 4,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      is_cache_unknown: true,
    });
  });

  it("may have its letters cut in two, lines without names, and any line ends", async () => {
    const wire = Buffer.from(
      sse(start, ...text(0, "Grüße 👋 ", "世界"), end("end_turn"), stop)
        .replaceAll(/^event: .*\n/gm, "")
        .replaceAll("\n", "\r\n"),
    );
    const answer = await answerTo(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let at = 0; at < wire.length; at += 3) {
        response.write(wire.subarray(at, at + 3));
        await new Promise(setImmediate);
      }
      response.end(": a comment\r\n\r\ndata: [DONE]\r\n\r\n");
    });
    expect(answer.content).toEqual([{ type: "text", text: "Grüße 👋 世界" }]);
  });

  it("tells of its first piece once, and of its status and rates", async () => {
    const date = "Mon, 23 Nov 2026 05:00:00 GMT";
    await using server = await openRawServer((response) => {
      response.writeHead(200, {
        "content-type": "text/event-stream",
        date,
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-11-23T05:00:30Z",
        "anthropic-ratelimit-input-tokens-remaining": "1000",
      });
      response.end(sse({ type: "ping" }, start, ...text(0, "Hi"), end("end_turn"), stop));
    });
    const hearing = listener();
    await (await servedModel(server.url)).answer(ask(), hearing);
    expect(hearing.begun).toBe(1);
    expect(hearing.signs).toEqual([
      {
        at: "answered",
        status: 200,
        rate: { requests: { limit: 50, remaining: 49, reset_ms: 30_000 }, input_tokens: { remaining: 1_000 } },
      },
    ]);
  });
});

describe("calls", () => {
  const calls = async (...events: Parameters<typeof sse>) => {
    const { content, stop: said } = await answerTo(streamed(start, ...events, stop));
    return { stop: said, calls: content.filter(({ type }) => type === "tool_use") };
  };
  const read = { id: "a", name: "read" };

  it("may have their whole input at the start, in one piece, as an object, or none", async () => {
    const whole = await calls(...call(0, { ...read, input: { file_path: "x" } }), end("tool_use"));
    expect(whole.calls).toMatchObject([{ input: { file_path: "x" } }]);
    const piece = await calls(...call(0, { ...read, input: {} }, '{"file_path":"x"}'), end("tool_use"));
    expect(piece.calls).toMatchObject([{ input: { file_path: "x" } }]);
    const object = await calls(...call(0, read, { file_path: "x" }), end("tool_use"));
    expect(object.calls).toMatchObject([{ input: { file_path: "x" } }]);
    const none = await calls(...call(0, { ...read, input: {} }, ""), end("tool_use"));
    expect(none.calls).toEqual([{ type: "tool_use", id: "a", name: "read", input: {} }]);
  });

  it("keep as text what is no JSON object, and ask for nothing with it", async () => {
    for (const broken of ['{"file_path": "x', "[1]", "nonsense", '{"a":1}{"a":1}']) {
      const { calls: made } = await calls(...call(0, { ...read, input: {} }, broken), end("tool_use"));
      expect(made).toEqual([{ type: "tool_use", id: "a", name: "read", input: {}, malformed: broken }]);
    }
  });

  it("that the end of the answer cut off are not taken for calls without an input", async () => {
    const cut = await calls(
      { type: "content_block_start", index: 0, content_block: { type: "tool_use", ...read, input: {} } },
      end("max_tokens"),
    );
    expect(cut).toEqual({
      stop: "max_tokens",
      calls: [{ type: "tool_use", id: "a", name: "read", input: {}, malformed: "" }],
    });
  });

  it("without ids, and with ids that were there before, get their own: the same ones each time", async () => {
    const events = [
      ...call(0, { name: "read", input: {} }),
      ...call(1, { id: "a", name: "read", input: {} }),
      ...call(2, { id: "a", name: "read", input: {} }),
      ...call(3, { id: "old", name: "read", input: {} }),
      end("tool_use"),
      stop,
    ];
    const messages: ModelRequest["messages"] = [
      { role: "user", content: [{ type: "text", text: "Go." }] },
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "old", name: "read", input: {} },
          { type: "tool_use", id: "call_2_1", name: "read", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "old", content: "x" },
          { type: "tool_result", tool_use_id: "call_2_1", content: "x" },
        ],
      },
    ];
    const idsOf = ({ content }: ModelAnswer) => content.map((block) => (block.type === "tool_use" ? block.id : ""));
    const first = await answerTo(streamed(start, ...events), { messages });
    expect(idsOf(first)).toEqual(["call_2_1_2", "a", "call_2_3", "call_2_4"]);
    expect(idsOf(await answerTo(streamed(start, ...events), { messages }))).toEqual(idsOf(first));
  });

  it("make an answer wait for their results, whatever reason the server gives", async () => {
    for (const said of ["end_turn", "stop_sequence", "stop", null]) {
      expect((await calls(...call(0, { ...read, input: {} }), end(said))).stop).toBe("tool_use");
    }
  });
});

describe("an end", () => {
  it("is told by its reason", async () => {
    const stops = async (reason: string | null) =>
      (await answerTo(streamed(start, ...text(0, "x"), end(reason), stop))).stop;
    expect(await stops("model_context_window_exceeded")).toBe("too_long");
    expect(await stops("refusal")).toBe("refusal");
    expect(await stops("pause_turn")).toBe("pause_turn");
    expect(await stops("max_tokens")).toBe("max_tokens");
    expect(await stops("stop_sequence")).toBe("end_turn");
    expect(await stops(null)).toBe("end_turn");
  });

  it("that is missing makes it lost, unless its reason was told", async () => {
    expect((await answerTo(streamed(start, ...text(0, "x"), end("end_turn")))).stop).toBe("end_turn");
    expect(await failureTo(streamed(start, ...text(0, "x")))).toMatchObject({ kind: "lost", isBilled: true });
  });

  it("of the connection in the middle makes it lost", async () => {
    const broken = await failureTo((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(sse(start, ...text(0, "x")), () => response.destroy());
    });
    expect(broken).toMatchObject({ kind: "lost", isBilled: true });
  });

  it("by an error event is what the error is", async () => {
    const error = (type: string, message = "no") =>
      failureTo(streamed(start, ...text(0, "x"), { type: "error", error: { type, message } }));
    expect(await error("overloaded_error")).toMatchObject({ kind: "busy", isBilled: true });
    expect(await error("rate_limit_error")).toMatchObject({ kind: "busy" });
    expect(await error("api_error")).toMatchObject({ kind: "lost" });
    expect(await error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum")).toMatchObject({
      kind: "too_long",
    });
    expect(
      await failureTo(answered(200, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } })),
    ).toMatchObject({ kind: "busy" });
  });

  it("in what is no JSON makes it lost", async () => {
    expect(
      await failureTo(
        (response) => void response.writeHead(200, { "content-type": "text/event-stream" }).end("data: {oops\n\n"),
      ),
    ).toMatchObject({ kind: "lost" });
    expect(await failureTo(answered(200, '{"type":"mess'))).toMatchObject({ kind: "lost" });
  });

  it("of somebody who speaks another language is refused: asking again would not help", async () => {
    const page = await failureTo(
      (response) => void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<html>"),
    );
    expect(page).toMatchObject({ kind: "refused", remedy: expect.stringContaining("address") });
    expect(await failureTo(answered(200, { choices: [] }))).toMatchObject({ kind: "refused" });
  });
});

describe("tokens", () => {
  const usageOf = async (...events: Parameters<typeof sse>) => (await answerTo(streamed(...events, stop))).usage;
  const bare = { type: "message_start", message: { type: "message", role: "assistant", content: [] } };

  it("may be counted at the end alone", async () => {
    expect(
      await usageOf(
        bare,
        ...text(0, "x"),
        end("end_turn", { input_tokens: 9, output_tokens: 2, cache_read_input_tokens: 4 }),
      ),
    ).toEqual({ input_tokens: 9, output_tokens: 2, cache_read_tokens: 4, cache_write_tokens: 0 });
  });

  it("that are never counted are guessed, and said to be", async () => {
    const usage = await usageOf(bare, ...text(0, "Hello there."), end("end_turn", {}));
    expect(usage).toMatchObject({ is_assumed: true, is_cache_unknown: true });
    expect(usage.input_tokens).toBeGreaterThan(10);
    expect(usage.output_tokens).toBeGreaterThan(3);
  });

  it("that are nonsense count as not told", async () => {
    const usage = await usageOf(bare, ...text(0, "x"), end("end_turn", { input_tokens: -4, output_tokens: "many" }));
    expect(usage).toMatchObject({ is_assumed: true });
  });
});

describe("waiting", () => {
  const silent: Answer = (response) =>
    void response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();

  it("for an answer that does not begin ends, and closes the connection", async () => {
    await using server = await openRawServer(() => {});
    const hearing = listener();
    const model = await servedModel(server.url, { first_chunk_ms: 50 });
    await expect(model.answer(ask(), hearing)).rejects.toMatchObject({
      kind: "lost",
      message: expect.stringContaining("began"),
    });
    expect(hearing.signs).toMatchObject([{ at: "lost" }]);
    await server.allClosed();
  });

  it("for one that begins and says nothing ends too", async () => {
    await using server = await openRawServer(silent);
    const model = await servedModel(server.url, { first_chunk_ms: 50 });
    await expect(model.answer(ask(), listener())).rejects.toMatchObject({ kind: "lost" });
    await server.allClosed();
  });

  it("for one that stands still ends", async () => {
    await using server = await openRawServer((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(sse(start));
    });
    const model = await servedModel(server.url, { stall_ms: 50 });
    await expect(model.answer(ask(), listener())).rejects.toMatchObject({
      kind: "lost",
      isBilled: true,
      message: expect.stringContaining("stood still"),
    });
    await server.allClosed();
  });

  it("does not end while anything comes, be it comments", async () => {
    const answer = await answerTo(
      async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        for (let beat = 0; beat < 8; beat++) {
          response.write(": still reading\n\n");
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        response.end(sse(start, ...text(0, "x"), end("end_turn"), stop));
      },
      {},
      { stall_ms: 600, first_chunk_ms: 5_000 },
    );
    expect(answer.stop).toBe("end_turn");
  });

  it("is given up at once by an abort, with its reason, and the connection is closed", async () => {
    for (const answer of [
      () => {},
      silent,
      (response: Parameters<Answer>[0]) => void response.writeHead(200).write(sse(start)),
    ]) {
      const abort = new AbortController();
      const reason = new Error("cancelled");
      await using server = await openRawServer((response, request) => {
        answer(response, request);
        setImmediate(() => abort.abort(reason));
      });
      await expect((await servedModel(server.url)).answer(ask(), listener(abort.signal))).rejects.toBe(reason);
      await server.allClosed();
      await expect((await servedModel(server.url)).answer(ask(), listener(abort.signal))).rejects.toBe(reason);
      expect(server.requests).toHaveLength(1);
    }
  });

  it("is not begun after an abort, however early", async () => {
    await using server = await openRawServer(() => {});
    const abort = new AbortController();
    const reason = new Error("cancelled");
    const answer = (await servedModel(server.url)).answer(ask(), listener(abort.signal));
    abort.abort(reason);
    await expect(answer).rejects.toBe(reason);
    expect(server.requests).toEqual([]);
  });

  it("leaves the connection for the next answer where it ended well", async () => {
    await using server = await openRawServer(streamed(start, ...text(0, "x"), end("end_turn"), stop));
    for (let turn = 0; turn < 6; turn++) await (await servedModel(server.url)).answer(ask(), listener());
    // fetch opens a second one where the first is not free yet.
    expect(server.opened).toBeLessThanOrEqual(2);
  });
});
