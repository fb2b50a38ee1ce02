import { crc32 } from "node:zlib";
import { expect, it } from "vitest";
import type { Endpoint } from "../../src/protocol/endpoint.ts";
import { type Answer, answered, openRawServer, streamed } from "../support/raw-server.ts";
import { ask, listener, servedModel } from "../support/served-model.ts";

const events = [
  { type: "message_start", message: { model: "claude", usage: { input_tokens: 5, output_tokens: 1 } } },
  { type: "content_block_start", index: 0, content_block: { type: "tool_use", id: "a", name: "read", input: {} } },
  { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: '{"file_path":"Grüße"}' } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } },
  { type: "message_stop" },
];
const made = {
  content: [{ type: "tool_use", input: { file_path: "Grüße" } }],
  stop: "tool_use",
  usage: { input_tokens: 5, output_tokens: 9 },
};

/** A frame of `application/vnd.amazon.eventstream`: lengths, checksum, headers, payload, checksum. */
function frame(event: object): Buffer {
  const payload = Buffer.from(JSON.stringify({ bytes: Buffer.from(JSON.stringify(event)).toString("base64") }));
  const headers = Buffer.concat([
    header(":message-type", "event"),
    header(":event-type", "chunk"),
    header(":content-type", "application/json"),
  ]);
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(16 + headers.length + payload.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  const head = Buffer.concat([prelude, crc(prelude), headers, payload]);
  return Buffer.concat([head, crc(head)]);
}

function header(name: string, value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7]), length, Buffer.from(value)]);
}

function crc(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}

const amazon: Answer = (response) => {
  response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
  response.end(Buffer.concat(events.map(frame)));
};

async function asked(answer: Answer, endpoint: Partial<Endpoint>, path = "") {
  await using server = await openRawServer(answer);
  const answering = (await servedModel(`${server.url}${path}`, endpoint)).answer(ask(), listener());
  return { came: await answering.catch((thrown: unknown) => thrown), request: server.requests[0] };
}

it("Bedrock is asked at its own path with its own key, and its frames are read.", async () => {
  const { came, request } = await asked(amazon, { kind: "bedrock", region: "eu-west-1", api_key: "bedrock-key" });
  expect(came).toMatchObject(made);
  expect(request?.path).toBe("/model/test-model/invoke-with-response-stream");
  expect(request?.headers.authorization).toBe("Bearer bedrock-key");
  expect(request?.body).toMatchObject({ anthropic_version: "bedrock-2023-05-31", max_tokens: 100 });
  expect(request?.body).not.toHaveProperty("model");
  expect(request?.body).not.toHaveProperty("stream");
});

it("Bedrock's requests are signed with the keys of AWS that the endpoint has.", async () => {
  const aws = { access_key: "AKIDEXAMPLE", secret_key: "very-secret", session_token: "session" };
  const { came, request } = await asked(amazon, { kind: "bedrock", region: "eu-west-1", aws });
  expect(came).toMatchObject(made);
  expect(request?.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/bedrock\/aws4_request/,
  );
  expect(request?.headers["x-amz-security-token"]).toBe("session");
  expect(JSON.stringify(request)).not.toContain("very-secret");
});

it("Vertex is asked at the path of its project and region with the token it is given.", async () => {
  const google = { kind: "vertex", region: "europe-west1", project: "my-project", auth_token: "ya29.token" } as const;
  for (const path of ["", "/v1"]) {
    const { came, request } = await asked(streamed(...events), google, path);
    expect(came).toMatchObject(made);
    expect(request?.path).toBe(
      "/v1/projects/my-project/locations/europe-west1/publishers/anthropic/models/test-model:streamRawPredict",
    );
    expect(request?.headers.authorization).toBe("Bearer ya29.token");
    expect(request?.body).toMatchObject({ anthropic_version: "vertex-2023-10-16", stream: true });
  }
});

it("A refusal of either is what it would be of Anthropic.", async () => {
  const busy = answered(
    429,
    { message: "Too many requests, please wait before trying again." },
    { "retry-after": "3" },
  );
  const { came } = await asked(busy, { kind: "bedrock", region: "us-east-1", api_key: "k" });
  expect(came).toMatchObject({ kind: "busy", retryAfterMs: 3_000 });
  const denied = answered(403, {
    error: { code: 403, message: "Permission denied on ya29.token", status: "PERMISSION_DENIED" },
  });
  const google = await asked(denied, { kind: "vertex", region: "global", project: "p", auth_token: "ya29.token" });
  expect(google.came).toMatchObject({ kind: "credentials", message: expect.not.stringContaining("ya29.token") });
});

it("Without keys nobody is asked, and none are looked for.", async () => {
  for (const kind of ["bedrock", "vertex"] as const) {
    const { came, request } = await asked(streamed(...events), { kind, region: "us-east-1", project: "p" });
    expect(came).toMatchObject({ code: "credentials" });
    expect(request).toBeUndefined();
  }
});
