import { describe, expect, it } from "vitest";
import { ModelFailed } from "../../src/model/model.ts";
import type { Endpoint } from "../../src/protocol/endpoint.ts";
import { type Answer, answered, openRawServer, streamed } from "../support/raw-server.ts";
import { ask, listener, servedModel } from "../support/served-model.ts";

const good = streamed(
  { type: "message_start", message: { usage: { input_tokens: 5, output_tokens: 1 } } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "Hi" } },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
  { type: "message_stop" },
);
const error = (message: string, type = "invalid_request_error") => ({ type: "error", error: { type, message } });

async function failureTo(answer: Answer, endpoint: Partial<Endpoint> = {}) {
  await using server = await openRawServer(answer);
  const hearing = listener();
  const model = await servedModel(server.url, endpoint);
  const thrown: unknown = await model.answer(ask(), hearing).catch((thrown: unknown) => thrown);
  if (!(thrown instanceof ModelFailed)) throw new Error("it did not fail as a model fails", { cause: thrown });
  return { failure: thrown, signs: hearing.signs, requests: server.requests };
}

describe("an HTTP answer that is no success", () => {
  it.each([
    [400, "refused"],
    [401, "credentials"],
    [402, "refused"],
    [403, "credentials"],
    [404, "refused"],
    [408, "lost"],
    [409, "lost"],
    [413, "too_long"],
    [422, "refused"],
    [429, "busy"],
    [500, "lost"],
    [502, "lost"],
    [503, "lost"],
    [504, "lost"],
    [529, "busy"],
  ])("of status %i is %s, and is asked once", async (status, kind) => {
    const { failure, signs, requests } = await failureTo(answered(status, error("no such thing")));
    expect(failure).toMatchObject({ kind, status });
    expect(failure.message).toContain("no such thing");
    expect(signs).toMatchObject([{ at: "answered", status }]);
    expect(requests).toHaveLength(1);
  });

  it("says how long to wait: in seconds, in milliseconds, or until a date of its own clock", async () => {
    const wait = async (headers: Record<string, string>) => {
      const { failure, signs } = await failureTo(answered(429, error("slow down", "rate_limit_error"), headers));
      expect(signs).toMatchObject([
        { rate: failure.retryAfterMs === undefined ? {} : { retry_after_ms: failure.retryAfterMs } },
      ]);
      return failure.retryAfterMs;
    };
    expect(await wait({ "retry-after": "7" })).toBe(7_000);
    expect(await wait({ "retry-after-ms": "250", "retry-after": "7" })).toBe(250);
    const date = "Mon, 23 Nov 2026 05:00:00 GMT";
    expect(await wait({ date, "retry-after": "Mon, 23 Nov 2026 05:01:00 GMT" })).toBe(60_000);
    expect(await wait({ date, "retry-after": "Mon, 23 Nov 2026 04:00:00 GMT" })).toBe(0);
    expect(await wait({ "retry-after": "soon" })).toBeUndefined();
    expect(await wait({})).toBeUndefined();
  });

  it("of a rate that waiting does not lift is refused", async () => {
    const { failure } = await failureTo(answered(429, error("spend limit reached"), { "x-should-retry": "false" }));
    expect(failure).toMatchObject({ kind: "refused", remedy: expect.stringContaining("spend limits") });
  });

  it.each([
    [400, error("prompt is too long: 210000 tokens > 200000 maximum")],
    [400, error("input length and `max_tokens` exceed context limit: 199000 + 8000 > 200000")],
    [400, { message: "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens." }],
    [
      400,
      {
        error: {
          message: "the request exceeds the available context size, try increasing it",
          type: "exceed_context_size_error",
        },
      },
    ],
    [
      400,
      {
        error:
          "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
      },
    ],
    [400, { error: { message: "prompt exceeds context window" } }],
    [422, { detail: "Input is too long for requested model" }],
    [413, error("Request exceeds the maximum size", "request_too_large")],
  ])("because the request is too long is told from others (%i %j)", async (status, body) => {
    expect((await failureTo(answered(status, body))).failure.kind).toBe("too_long");
  });

  it.each([
    error("messages: roles must alternate"),
    error("max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens for this model"),
    error("tools.0.name: String should match pattern"),
    "",
  ])("for another reason is not (%j)", async (body) => {
    expect((await failureTo(answered(400, body))).failure.kind).toBe("refused");
  });

  it("that leads elsewhere is not followed, for the key would go along", async () => {
    await using other = await openRawServer(good);
    const { failure } = await failureTo(
      (response) => void response.writeHead(307, { location: `${other.url}/v1/messages` }).end(),
      { api_key: "sk-secret-key" },
    );
    expect(failure).toMatchObject({ kind: "refused", status: 307, remedy: expect.stringContaining("address") });
    expect(other.requests).toEqual([]);
  });

  it("is told without the key that it repeats, and in a few lines", async () => {
    const { failure, signs } = await failureTo(answered(401, error(`bad key sk-secret-key ${"x".repeat(10_000)}`)), {
      api_key: "sk-secret-key",
    });
    expect(JSON.stringify([failure.message, failure.remedy, signs])).not.toContain("sk-secret-key");
    expect(failure.message.length).toBeLessThan(1_000);
    const late = await failureTo(
      streamed({ type: "error", error: { type: "api_error", message: "bad sk-secret-key" } }),
      {
        api_key: "sk-secret-key",
      },
    );
    expect(JSON.stringify([late.failure.message, late.signs])).not.toContain("sk-secret-key");
  });
});

describe("a server that is not there", () => {
  it("loses the call, which nobody can have billed", async () => {
    const gone = await openRawServer();
    await gone[Symbol.asyncDispose]();
    const hearing = listener();
    const model = await servedModel(gone.url);
    await expect(model.answer(ask(), hearing)).rejects.toMatchObject({ kind: "lost", isBilled: false });
    expect(hearing.signs).toMatchObject([{ at: "lost" }]);
  });

  it("any more when it had the request may have billed it", async () => {
    const { failure } = await failureTo((response) => void response.destroy());
    expect(failure).toMatchObject({ kind: "lost", isBilled: true });
  });
});

describe("a field that is refused by name", () => {
  const refusing = (message: string, status = 400) => answered(status, error(message));
  const cacheWords = [
    "system.0.cache_control: Extra inputs are not permitted",
    "unknown field `cache_control`, expected one of `type`, `text`",
    "Unsupported parameter: 'cache_control' is not supported with this model.",
    'json: unknown field "cache_control"',
    "Additional properties are not allowed ('cache_control' was unexpected)",
    "json: cannot unmarshal array into Go struct field MessagesRequest.system of type string",
    "system: Input should be a valid string",
  ];

  it.each(cacheWords)("is left out, once and for the endpoint: %s", async (words) => {
    await using server = await openRawServer(refusing(words), good);
    const hearing = listener();
    const model = await servedModel(server.url);
    await model.answer(ask(), hearing);
    expect(hearing.signs).toMatchObject([
      { at: "answered", status: 400 },
      { at: "dropped", field: "cache_control" },
      { at: "answered", status: 200 },
    ]);
    expect(JSON.stringify(server.requests[0]?.body)).toContain("cache_control");
    // By a later run of this thread as well.
    await (await servedModel(server.url)).answer(ask(), listener());
    expect(server.requests).toHaveLength(3);
    for (const { body } of server.requests.slice(1)) {
      expect(JSON.stringify(body)).not.toContain("cache_control");
      expect(body.system).toBe("Be brief.");
    }
  });

  it("may be one after the other, of any server's words for a bad request", async () => {
    await using server = await openRawServer(
      answered(422, {
        detail: [{ loc: ["body", "system", 0, "cache_control", "ttl"], msg: "Extra inputs are not permitted" }],
      }),
      refusing("messages.2.content.0.tool_result.is_error: Extra inputs are not permitted"),
      refusing("streaming is not supported"),
      answered(200, {
        type: "message",
        content: [{ type: "text", text: "Hi" }],
        stop_reason: "end_turn",
        usage: { input_tokens: 1, output_tokens: 1 },
      }),
    );
    const hearing = listener();
    const model = await servedModel(server.url, {
      capabilities: { cache: true, long_cache: true, count_tokens: false, betas: [] },
    });
    await model.answer(
      ask({
        messages: [
          { role: "user", content: [{ type: "text", text: "Go." }] },
          { role: "assistant", content: [{ type: "tool_use", id: "a", name: "read", input: {} }] },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "no", is_error: true }] },
        ],
      }),
      hearing,
    );
    expect(hearing.signs.flatMap((sign) => (sign.at === "dropped" ? [sign.field] : []))).toEqual([
      "ttl",
      "is_error",
      "stream",
    ]);
    const last = server.requests.at(-1)?.body;
    expect(last).not.toHaveProperty("stream");
    expect(JSON.stringify(last)).toContain("cache_control");
    expect(JSON.stringify(last)).not.toMatch(/is_error|ttl/);
  });

  it("that is refused again and again ends", async () => {
    const { failure, requests } = await failureTo(
      refusing("cache_control, stream, ttl: Extra inputs are not permitted"),
    );
    expect(failure).toMatchObject({ kind: "refused", status: 400 });
    expect(requests).toHaveLength(3);
  });

  it("is not sent where the endpoint refused it before, as the coordinator knows", async () => {
    await using server = await openRawServer(good);
    await (await servedModel(server.url, { dropped: ["cache_control"] })).answer(ask(), listener());
    expect(JSON.stringify(server.requests)).not.toContain("cache_control");
  });

  it("that was not sent is not what is wrong", async () => {
    const { failure, requests } = await failureTo(refusing("temperature: Extra inputs are not permitted"));
    expect(failure.kind).toBe("refused");
    expect(requests).toHaveLength(1);
  });
});

describe("a key", () => {
  const headersWith = async (endpoint: Partial<Endpoint>) => {
    await using server = await openRawServer(good);
    await (await servedModel(server.url, endpoint)).answer(ask(), listener());
    return server.requests[0]?.headers;
  };

  it("is sent as either kind of server looks for it", async () => {
    expect(await headersWith({ api_key: "k" })).toMatchObject({
      authorization: "Bearer k",
      "x-api-key": "k",
      "anthropic-version": "2023-06-01",
    });
    expect(await headersWith({ auth_token: "t" })).toMatchObject({ authorization: "Bearer t" });
    expect(await headersWith({ auth_token: "t" })).not.toHaveProperty("x-api-key");
  });

  it("that is not there is not made up, and none is looked for", async () => {
    const headers = await headersWith({});
    expect(headers).not.toHaveProperty("authorization");
    expect(headers).not.toHaveProperty("x-api-key");
    expect(headers).not.toHaveProperty("anthropic-beta");
  });

  it("is asked for by Anthropic itself", async () => {
    const model = await servedModel("https://api.anthropic.com");
    await expect(model.answer(ask(), listener())).rejects.toMatchObject({
      code: "credentials",
      remedy: expect.stringContaining("ANTHROPIC_API_KEY"),
    });
  });

  it("goes with the betas that the operator named, until they are refused", async () => {
    const capabilities = { cache: true, long_cache: false, count_tokens: false, betas: ["one-2026", "two-2026"] };
    await using server = await openRawServer(
      answered(400, error("Unexpected value(s) `one-2026` for the `anthropic-beta` header")),
      good,
    );
    const hearing = listener();
    await (await servedModel(server.url, { capabilities })).answer(ask(), hearing);
    expect(server.requests.map(({ headers }) => headers["anthropic-beta"])).toEqual(["one-2026,two-2026", undefined]);
    expect(hearing.signs).toContainEqual({ at: "dropped", field: "anthropic-beta" });
  });
});

describe("counting tokens", () => {
  const capabilities = { cache: true, long_cache: false, count_tokens: true, betas: [] };
  const signal = new AbortController().signal;

  it("is the endpoint's where it can", async () => {
    await using server = await openRawServer(answered(200, { input_tokens: 4_321 }));
    const model = await servedModel(server.url, { capabilities });
    expect(await model.countTokens?.(ask(), signal)).toEqual({ tokens: 4_321, isEstimate: false });
    expect(server.requests[0]).toMatchObject({ path: "/v1/messages/count_tokens" });
    expect(server.requests[0]?.body).not.toHaveProperty("max_tokens");
  });

  it("is a guess, and said to be one, where it cannot: it is asked once", async () => {
    await using server = await openRawServer(answered(404, { error: "not found" }));
    const model = await servedModel(server.url, { capabilities });
    for (let again = 0; again < 2; again++)
      expect(await model.countTokens?.(ask(), signal)).toMatchObject({ isEstimate: true });
    expect(server.requests).toHaveLength(1);
  });
});
