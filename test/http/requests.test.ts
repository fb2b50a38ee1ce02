import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openTokens } from "../../src/access/open-tokens.ts";
import { readSecret } from "../../src/access/token-file.ts";
import { listen, openServer } from "../../src/http/listen.ts";
import { silentLog } from "../../src/log/log.ts";
import type { SpanEnd } from "../../src/protocol/span.ts";
import { keepingLog, openServed, type Served } from "./served.ts";

let served: Served;
let impatient: string;
const lines: Parameters<typeof keepingLog>[0] = [];
const spans: SpanEnd[] = [];
beforeAll(async () => {
  served = await openServed({
    log: keepingLog(lines),
    onSpan: (span) => spans.push(span),
    limits: { bundleBytes: 20_000, drainMs: 2_000 },
  });
  impatient = await served.impatient({ bodyMs: 300, headersMs: 400, bundleIdleMs: 300 });
});
afterAll(() => served[Symbol.asyncDispose]());

const json = { "content-type": "application/json" };
const order = (more: object = {}) =>
  JSON.stringify({ job: {}, name: "write", repository: { path: served.repository }, ...more });

/** Bytes as they are, over a connection of their own; all that comes back until it is closed. */
function raw(bytes: string | Buffer, { end = false, to = served.url } = {}): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(Number(new URL(to).port), "127.0.0.1");
  let got = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    got += text;
  });
  socket.on("error", () => {}).on("close", () => resolve(got));
  socket.write(bytes);
  if (end) socket.end();
  return promise;
}

/** A request with headers that fetch would not send. */
function plain(
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const options = {
    headers: { ...served.authorized, ...headers },
    agent: false,
    method: body === undefined ? "GET" : "POST",
  };
  const sent = request(`${served.url}${path}`, options, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

describe("who asks", () => {
  it("is asked for a token everywhere but at the doors that are open to all", async () => {
    for (const path of ["/v1/jobs", "/v1/jobs/last", "/v1/nothing", "/v1/runs/x/events", "/v1/bundles/x"]) {
      const answer = await fetch(served.url + path);
      expect([path, answer.status, answer.headers.get("www-authenticate")]).toEqual([
        path,
        401,
        'Bearer realm="sheaf"',
      ]);
    }
    const tokens = ["", "x", served.secret.slice(0, -1), `${served.secret}x`, served.secret.toUpperCase()];
    for (const given of [...tokens.map((token) => `Bearer ${token}`), `Basic ${served.secret}`, served.secret]) {
      const answer = await fetch(`${served.url}/v1/jobs`, { headers: { authorization: given } });
      expect([given, answer.status]).toEqual([given, 401]);
    }
    const inAddress = await fetch(`${served.url}/v1/jobs?access_token=${served.secret}&token=${served.secret}`);
    expect(inAddress.status).toBe(401);
    for (const path of ["/healthz", "/readyz", "/openapi.json", "/docs"]) {
      expect([path, (await fetch(served.url + path)).status]).toEqual([path, 200]);
    }
  });

  it("is told the scope that is missing, and a token that is added or taken out counts without a restart", async () => {
    const file = join(served.bench.equipment.home, "tokens.json");
    const before = readFileSync(file, "utf8");
    const sha256 = createHash("sha256").update("reader-secret").digest("hex");
    const kept = JSON.parse(before).tokens;
    writeFileSync(file, JSON.stringify({ tokens: [...kept, { name: "reader", sha256, scopes: ["read"] }] }));
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(served.url + path, { ...init, headers: { authorization: "bearer reader-secret", ...json } });
    while ((await ask("/v1/jobs")).status === 401) await new Promise((resolve) => setTimeout(resolve, 100));
    const refused = await ask("/v1/jobs", { method: "POST", body: order() });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: "forbidden", detail: expect.stringContaining("scope run") });
    expect(refused.headers.get("www-authenticate")).toContain('scope="run"');
    writeFileSync(file, before);
    while ((await ask("/v1/jobs")).status === 200) await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await served.ask("/v1/jobs")).status).toBe(200);
  });

  it("leaves no secret in the log, and a line for each request without its query", async () => {
    await served.ask("/v1/jobs?cursor=private-cursor");
    await fetch(`${served.url}/v1/jobs?token=${served.secret}`);
    await settled();
    const said = JSON.stringify(lines);
    expect(said).not.toContain(served.secret);
    expect(said).not.toContain("private-cursor");
    expect(lines).toContainEqual(
      expect.objectContaining({ message: "request", path: "/v1/jobs", status: 400, caller: "first" }),
    );
  });

  it("needs no token on the socket that only the operator can open", async () => {
    const path = join(served.bench.folder, "own.sock");
    const own = openServer(served.app, true).listen({ path });
    const { promise, resolve } = Promise.withResolvers<number>();
    request({ socketPath: path, path: "/v1/jobs", headers: { host: "anything" } }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    }).end();
    expect(await promise).toBe(200);
    own.close();
    own.closeAllConnections();
  });
});

describe("where from and where to", () => {
  it("is only for names of this server, and never for pages of others", async () => {
    const status = async (headers: Record<string, string>) => (await plain("/v1/jobs", headers)).status;
    for (const host of [
      "localhost",
      "localhost:1",
      "127.0.0.1",
      "127.8.9.1:80",
      "[::1]:7433",
      "Sheaf.Example.com",
      "sheaf.example.com:8080",
    ]) {
      expect([host, await status({ host })]).toEqual([host, 200]);
    }
    const strangers = [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.1",
      "notsheaf.example.com",
    ];
    for (const host of strangers) expect([host, await status({ host })]).toEqual([host, 403]);
    const broken = ["a b", "localhost@evil.example", "localhost/x", "[::1", "localhost:x", "évil"];
    for (const host of broken) expect([host, [400, 403].includes(await status({ host }))]).toEqual([host, true]);
    for (const origin of ["http://evil.example", "null", "http://localhost:3000", "file://", "x"]) {
      expect([origin, await status({ host: "localhost", origin })]).toEqual([origin, 403]);
    }
    expect(await status({ host: "localhost", origin: "http://localhost" })).toBe(200);
    const preflight = await fetch(`${served.url}/v1/jobs`, { method: "OPTIONS" });
    expect([preflight.status, preflight.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS, POST"]);
    for (const [name] of preflight.headers) expect(name).not.toMatch(/^access-control/);
  });

  it("is an address of HTTP/1.1 or nothing", async () => {
    const head = (target: string, host = "localhost") =>
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    expect(await raw(head("http://localhost/healthz"))).toMatch(/^HTTP\/1.1 200 /);
    expect(await raw(head("http://evil.example/openapi.json"))).toMatch(/^HTTP\/1.1 403 /);
    for (const target of ["*", "localhost:80", "http://", "http://[", "//evil.example/x", "/%", "/..\\x"]) {
      const got = await raw(head(target));
      expect([target, /^HTTP\/1.1 4\d\d /.test(got), got.includes("application/problem+json")]).toEqual([
        target,
        true,
        true,
      ]);
    }
    expect(await raw("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 400 .*"bad_request"/s);
    expect(await raw(head("/openapi.json", ""))).toMatch(/^HTTP\/1.1 400 .*"bad_request"/s);
    const twice = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n";
    expect(await raw(twice)).toMatch(/^HTTP\/1.1 400 .*"bad_request"/s);
  });
});

describe("what is no request", () => {
  const post = (lines: string[], body: string) =>
    [
      `POST /v1/jobs HTTP/1.1`,
      "Host: localhost",
      `Authorization: Bearer ${served.secret}`,
      "Content-Type: application/json",
      ...lines,
      "",
      body,
    ].join("\r\n");

  it("is refused with a problem and the end of the connection, and smuggles nothing behind it", async () => {
    const hidden = "GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const cases = [
      post(["Content-Length: 5", "Transfer-Encoding: chunked"], `0\r\n\r\n${hidden}`),
      post(["Content-Length: 5", "Content-Length: 6"], `hello${hidden}`),
      post(["Transfer-Encoding: chunked, identity"], `0\r\n\r\n${hidden}`),
      post(["Transfer-Encoding : chunked"], `0\r\n\r\n${hidden}`),
      post(["Content-Length: -1"], hidden),
      post(["Content-Length: 0x5"], `hello${hidden}`),
      `GET / HTTP/1.1\r\nHost: localhost\r\n X: folded\r\n\r\n${hidden}`,
      `GET / HTTP/9.9\r\nHost: localhost\r\n\r\n`,
      "\u0016\u0003\u0001\u0002",
      "NONSENSE\r\n\r\n",
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n`,
    ];
    for (const bytes of cases) {
      const got = await raw(bytes);
      expect(got.match(/HTTP\/1\.1 /g) ?? [], JSON.stringify(bytes)).toHaveLength(1);
      expect(got, JSON.stringify(bytes)).toMatch(/^HTTP\/1\.1 4\d\d .*application\/problem\+json/s);
    }
    const brokenChunk = await raw(post(["Transfer-Encoding: chunked"], "zz\r\nhello\r\n0\r\n\r\n"));
    expect(brokenChunk).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("is cut off when it is too large or too slow", async () => {
    const many = `GET / HTTP/1.1\r\nHost: localhost\r\n${`X: ${"y".repeat(1_000)}\r\n`.repeat(40)}\r\n`;
    expect(await raw(many)).toMatch(/^HTTP\/1\.1 431 .*"headers_too_large"/s);
    expect(await raw("GET / HTTP/1.1\r\nHost: loc", { to: impatient })).toMatch(/^HTTP\/1\.1 408 .*"request_timeout"/s);
    expect(await raw(post(["Content-Length: 100"], "{"), { to: impatient })).toMatch(
      /^HTTP\/1\.1 408 .*"request_timeout"/s,
    );
    expect(await raw(post(["Content-Length: 2000000"], "{"))).toMatch(/^HTTP\/1\.1 413 .*"content_too_large"/s);
    const chunk = `${(65_536).toString(16)}\r\n${" ".repeat(65_536)}\r\n`.repeat(20);
    expect(await raw(post(["Transfer-Encoding: chunked"], chunk))).toMatch(/^HTTP\/1\.1 413 .*"content_too_large"/s);
    await raw(post(["Content-Length: 100"], "{"), { end: true });
    expect((await served.ask("/v1/jobs")).status).toBe(200);
  });
});

describe("a body", () => {
  it("is JSON of its schema, and what is wrong with it is told by its place", async () => {
    const send = async (body: string | Buffer, type = "application/json") => {
      const answer = await served.ask("/v1/jobs", {
        method: "POST",
        body: new Uint8Array(Buffer.from(body)),
        headers: { "content-type": type },
      });
      return {
        status: answer.status,
        ...((await answer.json()) as { code: string; detail: string; errors?: { place: string }[] }),
      };
    };
    expect(await send("{")).toMatchObject({ status: 400, code: "malformed_json" });
    expect(await send("")).toMatchObject({ status: 400, code: "malformed_json" });
    expect(await send(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ status: 400, code: "malformed_json" });
    expect(await send("[".repeat(100_000))).toMatchObject({ status: 400, code: "malformed_json" });
    expect(await send(`{"job":${"[".repeat(5_000)}${"]".repeat(5_000)}}`)).toMatchObject({ code: "malformed_json" });
    expect(await send("{}", "text/plain")).toMatchObject({ status: 415, code: "unsupported_media_type" });
    expect(await send("[]")).toMatchObject({ status: 400, code: "invalid" });
    const wrong = await send(JSON.stringify({ job: [], name: "", repository: { path: "/x", url: "y" }, nmae: "x" }));
    expect(wrong).toMatchObject({ status: 400, code: "invalid" });
    expect(wrong.errors?.map(({ place }) => place)).toEqual(["body.job", "body.name", "body.repository", "body"]);
    expect(await send(order({ repository: { path: "/etc" } }))).toMatchObject({ status: 403, code: "not_allowed" });
  });

  it("is not taken when it has a name for it that is none", async () => {
    const headers = { ...json, "idempotency-key": "a b" };
    const answer = await served.ask("/v1/jobs", { method: "POST", body: order(), headers });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { errors: [{ place: "header.Idempotency-Key" }] },
    ]);
  });
});

describe("the same request again", () => {
  it("is the same job, however many come at once; another body under its key is refused", async () => {
    const headers = { "idempotency-key": "nightly/7" };
    const jobs = await Promise.all(Array.from({ length: 12 }, () => served.submit("write", headers)));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    const other = await served.ask("/v1/jobs", {
      method: "POST",
      body: order({ ref: "main" }),
      headers: { ...json, ...headers },
    });
    expect([other.status, await other.json()]).toMatchObject([
      422,
      { code: "idempotency", remedy: expect.any(String) },
    ]);
    const again = await served.submit("write", headers);
    expect(again.id).toBe(jobs[0]?.id);
    expect((await served.submit("write", { "idempotency-key": "nightly/8" })).id).not.toBe(again.id);
  });
});

describe("a list", () => {
  const page = async (query: string) => {
    const answer = await served.ask(`/v1/jobs${query}`);
    const shape = z.object({
      data: z.array(z.object({ id: z.string() })),
      next_cursor: z.string().nullable(),
      has_more: z.boolean(),
    });
    const { data, ...rest } = shape.parse(await answer.json());
    return { ...rest, ids: data.map(({ id }) => id) };
  };

  it("goes on page by page without a job twice or left out, while others come", async () => {
    for (let count = 0; count < 3; count++) await served.submit("write");
    const all = await page("?limit=200");
    const ids: string[] = [];
    for (let query = "?limit=2"; query !== ""; ) {
      const answer = await page(query);
      ids.push(...answer.ids);
      query = answer.has_more ? `?limit=2&cursor=${answer.next_cursor}` : "";
      if (ids.length === 2) await served.submit("write");
    }
    expect(ids).toEqual(all.ids);
  });

  it("refuses a cursor that no page gave, and a limit that is none", async () => {
    const cursors = [
      "x",
      Buffer.from("after:nobody").toString("base64url"),
      Buffer.from("after:").toString("base64url"),
    ];
    for (const cursor of cursors) expect((await served.ask(`/v1/jobs?cursor=${cursor}`)).status).toBe(400);
    for (const limit of ["0", "201", "-1", "1.5", "x", ""]) {
      expect([limit, (await served.ask(`/v1/jobs?limit=${limit}`)).status]).toEqual([limit, 400]);
    }
  });
});

describe("a bundle", () => {
  const put = (bytes: Buffer, headers: Record<string, string> = {}, name = sha256(bytes)) =>
    served.ask(`/v1/bundles/${name}`, { method: "PUT", body: new Uint8Array(bytes), headers });

  it("is kept under the hash of its bytes, once, and nothing else is", async () => {
    const made = execFileSync("git", ["-C", served.repository, "bundle", "create", "--quiet", "-", "HEAD"]);
    const answers = await Promise.all([put(made), put(made), put(made)]);
    expect(answers.map(({ status }) => status).sort()).toContain(201);
    expect((await put(made)).status).toBe(200);
    expect(await answers[0]?.json()).toEqual({ sha256: sha256(made), bytes: made.length });
    const folder = join(served.bench.equipment.home, "bundles");
    expect(readFileSync(join(folder, sha256(made)))).toEqual(made);
    expect(await problemOf(put(made, {}, "0".repeat(64)))).toMatchObject([422, "hash_mismatch"]);
    expect(await problemOf(put(Buffer.from("no bundle")))).toMatchObject([422, "not_a_bundle"]);
    expect(await problemOf(put(Buffer.alloc(0)))).toMatchObject([422, "not_a_bundle"]);
    expect(await problemOf(put(randomBytes(20_001)))).toMatchObject([413, "content_too_large"]);
    expect(await problemOf(put(made, json))).toMatchObject([415, "unsupported_media_type"]);
    expect(await problemOf(put(made, {}, "..%2f..%2ftokens.json"))).toMatchObject([400, "invalid"]);
    const slow = `PUT /v1/bundles/${"0".repeat(64)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${served.secret}\r\n`;
    expect(await raw(`${slow}Content-Length: 100\r\n\r\nhello`, { to: impatient })).toMatch(/^HTTP\/1\.1 408 /);
    await raw(`${slow}Content-Length: 100\r\n\r\nhello`, { end: true });
    const chunk = `${(16_384).toString(16)}\r\n${"x".repeat(16_384)}\r\n`;
    expect(await raw(`${slow}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}`)).toMatch(/^HTTP\/1\.1 413 /);
    expect(readdirSync(folder)).toEqual([sha256(made)]);
  });
});

describe("a trace", () => {
  it("of a caller goes on in the job, and each request has a span below its caller's", async () => {
    const traceparent = `00-${"a1".repeat(16)}-${"b2".repeat(8)}-01`;
    const job = await served.submit("write", { traceparent });
    expect(job.trace_id).toBe("a1".repeat(16));
    await (await served.ask(`/v1/jobs/${job.id}/events`)).text();
    const answer = await served.ask(`/v1/jobs/${job.id}/trace`);
    const trace = z.object({ spans: z.array(z.looseObject({ name: z.string() })) }).parse(await answer.json());
    const root = trace.spans.find((span) => span.name === "invoke_workflow write");
    expect(root).toMatchObject({ trace_id: "a1".repeat(16), parent_span_id: "b2".repeat(8) });
    const own = spans.find((span) => span.trace_id === job.trace_id);
    expect(own).toMatchObject({
      name: "POST /v1/jobs",
      kind: "server",
      parent_span_id: "b2".repeat(8),
      attributes: { "http.route": "/v1/jobs", "http.request.method": "POST", "http.response.status_code": 202 },
    });
    await settled();
    expect(lines.find((line) => line.span_id === own?.span_id)).toMatchObject({
      path: "/v1/jobs",
      trace_id: job.trace_id,
    });
    const wild = await served.submit("write", { traceparent: "00-zz-b2-01" });
    expect(wild.trace_id).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.stringify(spans)).not.toContain("token=");
  });
});

describe("the files of tokens", () => {
  const home = mkdtempSync(join(tmpdir(), "sheaf-tokens-"));
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const clock = { now: Date.now, random: randomBytes };
  const open = () => openTokens(home, { clock, log: silentLog });

  it("are made once, whole and for their owner only, whoever comes first; what cannot be used is said", async () => {
    const opened = await Promise.all([open(), open(), open()]);
    const secret = await readSecret(home);
    for (const tokens of opened) expect(await tokens.find(secret)).toEqual({ name: "first", scopes: ["admin"] });
    expect(readdirSync(home).sort()).toEqual(["token", "tokens.json"]);
    for (const file of readdirSync(home)) expect(statSync(join(home, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(home, "tokens.json"), "utf8")).not.toContain(secret);
    const refused = { code: "credentials", remedy: expect.any(String) };
    chmodSync(join(home, "tokens.json"), 0o644);
    await expect(open()).rejects.toMatchObject(refused);
    chmodSync(join(home, "tokens.json"), 0o600);
    for (const text of ["", "{}", '{"tokens":[{"name":"x"}]}', "\u0000"]) {
      writeFileSync(join(home, "tokens.json"), text);
      await expect(open()).rejects.toMatchObject(refused);
    }
  });
});

describe("a server that stops", () => {
  it("ends streams with a comment, finishes what is under way, and takes nothing more", async () => {
    await using own = await openServed({ limits: { drainMs: 2_000 } });
    const job = await own.submit("wait");
    const stream = await own.ask(`/v1/jobs/${job.id}/events`);
    const closed = own.listening.close();
    const text = await stream.text();
    expect(text).toContain(": the server is stopping");
    expect(text).not.toContain("job.finished");
    await closed;
    await expect(own.ask("/v1/jobs")).rejects.toThrow();
    own.app.drain();
    const again = await listen(own.app, { port: 0, host: "127.0.0.1" });
    const ready = await fetch(`${again.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { code: "draining" }]);
    const body = JSON.stringify({ job: {}, repository: { path: own.repository } });
    const refused = await fetch(`${again.url}/v1/jobs`, {
      method: "POST",
      body,
      headers: { ...own.authorized, ...json },
    });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    await again.close();
  });

  it("says why it cannot start", async () => {
    const port = Number(new URL(served.url).port);
    await expect(listen(served.app, { port, host: "127.0.0.1" })).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringContaining(`port ${port}: something else listens there`),
      remedy: expect.any(String),
    });
  });
});

async function problemOf(asked: Promise<Response>): Promise<[number, string]> {
  const answer = await asked;
  const { code } = (await answer.json()) as { code: string };
  return [answer.status, code];
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Log lines are written when an answer's connection has let go of it. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
