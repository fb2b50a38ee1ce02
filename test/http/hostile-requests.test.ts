import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { all, type Besieged, besiege, json, length } from "./besiege.ts";
import { answersIn, closed, exchange, open, send } from "./raw.ts";
import type { Served } from "./served.ts";

let besieged: Besieged;
let served: Served;
let impatient: string;
let owner: string[];
let job: Besieged["job"];
let expectRefused: Besieged["expectRefused"];
beforeAll(async () => {
  besieged = await besiege();
  ({ served, impatient, owner, job, expectRefused } = besieged);
});
afterAll(() => besieged[Symbol.asyncDispose]());

describe("another name for this machine", () => {
  it("is refused, whether it resolves here or only looks like it", async () => {
    const names = [
      "127.0.0.1.nip.io",
      "localtest.me",
      "0.0.0.0",
      "[::]",
      "[::ffff:127.0.0.1]",
      "2130706433",
      "0x7f.0.0.1",
      "0177.0.0.1",
      "127.1",
      "localhost.evil.example",
      "localhost, evil.example",
      "evil.example#localhost",
      "evil.example/localhost",
      "user@localhost",
      "localhost:80:80",
      "localhost:0x50",
      "\u00efocalhost",
      "local host",
      "sheaf.example.com.evil.example",
      "x.sheaf.example.com",
      "",
    ];
    await all(names, async (name) => {
      const headers = [`Host: ${name}`, `Authorization: Bearer ${served.secret}`];
      expectRefused(await send(served.url, "GET /v1/jobs", headers), [400, 403], name);
    });
    const believed = [
      "X-Forwarded-Host: localhost",
      "Forwarded: host=localhost",
      "X-Host: localhost",
      "X-Original-Host: localhost",
    ];
    const evil = ["Host: evil.example", `Authorization: Bearer ${served.secret}`, ...believed];
    expectRefused(await send(served.url, "GET /v1/jobs", evil), 403, believed);
    const mixed = [
      ["GET http://evil.example/v1/jobs", "Host: localhost"],
      ["GET http://localhost/v1/jobs", "Host: evil.example"],
      ["GET http://localhost@evil.example/v1/jobs", "Host: localhost"],
      ["GET https://evil.example:443/docs", "Host: localhost"],
      ["GET ftp://localhost/docs", "Host: localhost"],
    ] as const;
    await all(mixed, async ([line, host]) => expectRefused(await send(served.url, line, [host]), [400, 403], line));
  });

  it("gets no more than its own pages where they come from somewhere else", async () => {
    const port = new URL(served.url).port;
    const origins = [
      "null",
      "",
      "http://evil.example",
      `http://localhost:${port}.evil.example`,
      `http://x.localhost:${port}`,
      "http://127.0.0.1:1",
      `http://127.0.0.2:${port}`,
      `http://localhost:${port}, http://evil.example`,
      `ftp://localhost:${port}`,
      `http://user@localhost:1`,
      "chrome-extension://abcdef",
      "file://",
      "data:",
    ];
    await all(origins, async (origin) => {
      const headers = [`Host: localhost:${port}`, `Authorization: Bearer ${served.secret}`, `Origin: ${origin}`];
      expectRefused(await send(served.url, "GET /v1/jobs", headers), 403, origin);
      expectRefused(await send(served.url, "POST /v1/jobs", [...headers, json, length("{}")], "{}"), 403, origin);
    });
    const twice = [
      "Host: localhost",
      `Authorization: Bearer ${served.secret}`,
      "Origin: http://localhost",
      "Origin: http://evil.example",
    ];
    expectRefused(await send(served.url, "GET /v1/jobs", twice), 403, "two origins");
    const preflight = ["Host: localhost", "Origin: http://evil.example", "Access-Control-Request-Method: POST"];
    expectRefused(await send(served.url, "OPTIONS /v1/jobs", preflight), 403, "preflight");
  });
});

describe("a method", () => {
  it("that an address does not take is refused, however it is said", async () => {
    const methods = ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "LINK", "PURGE", "SEARCH"];
    await all(methods, async (method) => {
      for (const path of ["/v1/jobs", "/docs", "/healthz", `/v1/jobs/${job.id}/patch`]) {
        expectRefused(await send(served.url, `${method} ${path}`, owner), [404, 405], [method, path]);
      }
    });
    expectRefused(await send(served.url, "CONNECT 127.0.0.1:22", owner), 405, "CONNECT");
    for (const method of ["get", "Get", "GET\t", "FOO", "G@T", ""]) {
      expectRefused(await send(served.url, `${method} /v1/jobs`, owner), 400, method);
    }
  });

  it("is the one of the request line, and no header or parameter changes it", async () => {
    const overrides = ["X-HTTP-Method-Override: POST", "X-HTTP-Method: DELETE", "X-Method-Override: PUT"];
    const listed = await send(served.url, "GET /v1/jobs", [...owner, ...overrides]);
    expect([listed.status, JSON.parse(listed.body).data.length > 0]).toEqual([200, true]);
    expectRefused(await send(served.url, "GET /v1/jobs?_method=POST", owner), 400, "_method");
    const cancel = await send(served.url, `GET /v1/jobs/${job.id}/cancel`, [...owner, ...overrides]);
    expectRefused(cancel, 405, "cancel");
    for (const path of ["/v1/jobs", "/docs", "/openapi.json", "/healthz", `/v1/jobs/${job.id}`, "/nothing"]) {
      const answer = await send(served.url, `HEAD ${path}`, owner);
      expect([path, answer.body]).toEqual([path, ""]);
    }
  });
});

describe("a body", () => {
  it("is taken only as JSON in UTF-8, so that no form of another site's page can send one", async () => {
    const body = besieged.order();
    const types = [
      [],
      ["Content-Type:"],
      ["Content-Type: text/plain"],
      ["Content-Type: text/plain; application/json"],
      ["Content-Type: application/x-www-form-urlencoded"],
      ["Content-Type: multipart/form-data; boundary=x"],
      ["Content-Type: application/jsonp"],
      ["Content-Type: application/json5"],
      ["Content-Type: text/json"],
      ["Content-Type: application/json, text/plain"],
      ["Content-Type: application/json; charset=utf-16"],
      ["Content-Type: application/json; charset=latin1"],
      ["Content-Type: application/json; x=y; charset=utf-7"],
      ["Content-Type: application/json", "Content-Type: text/plain"],
      ["Content-Type: text/plain", "Content-Type: application/json"],
      [json, "Content-Encoding: gzip"],
      [json, "Content-Encoding: identity, gzip"],
      [json, "Content-Encoding: br"],
      [json, "Content-Encoding: identity", "Content-Encoding: deflate"],
    ];
    await all(types, async (headers) => {
      expectRefused(await send(served.url, "POST /v1/jobs", [...owner, ...headers, length(body)], body), 415, headers);
    });
    for (const type of ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']) {
      const headers = [...owner, `Content-Type: ${type}`, length("[]")];
      expect([type, (await send(served.url, "POST /v1/jobs", headers, "[]")).status]).toEqual([type, 400]);
    }
  });

  it("costs no more than its bounds, whatever its length or its headers say", async () => {
    const chunked = [...owner, json, "Transfer-Encoding: chunked"];
    const head = (headers: string[], body: string) =>
      `POST /v1/jobs HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n${body}`;
    const [endless = ""] = [await exchange(impatient, head(chunked, "2\r\n{}\r\n"))];
    expectRefused(answersIn(endless)[0], 408, "a chunked body that does not end");
    const big = `${(100_000).toString(16)}\r\n${" ".repeat(100_000)}\r\n`.repeat(3);
    expectRefused(answersIn(await exchange(served.url, head(chunked, big)))[0], 413, "too large");
    const crumbs = await send(
      served.url,
      "POST /v1/jobs",
      chunked,
      `${"1\r\n \r\n".repeat(3_000)}2\r\n[]\r\n0\r\n\r\n`,
    );
    expectRefused(crumbs, 400, "crumbs");
    expect(JSON.parse(crumbs.body).code).toBe("invalid");
    const trailed = "2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\nContent-Type: text/plain\r\n\r\n";
    expectRefused(await send(served.url, "POST /v1/jobs", chunked, trailed), 400, "trailers");
    for (const lie of ["999999999999999999999", "1e3", "+5", "5, 6", "5 5", ""]) {
      const answer = await send(served.url, "POST /v1/jobs", [...owner, json, `Content-Length: ${lie}`], "{}");
      expectRefused(answer, [400, 413], lie);
    }
    for (const expectation of ["100-continue", "200-ok"]) {
      const answer = await send(
        served.url,
        "POST /v1/jobs",
        [...owner, json, length("[]"), `Expect: ${expectation}`],
        "[]",
      );
      expectRefused(answer, expectation === "100-continue" ? 400 : 417, expectation);
    }
  });

  it("that drips is cut off, from whoever it comes and whatever it is for", async () => {
    const drips = [
      ["POST /v1/jobs", ...owner, json],
      ["POST /v1/jobs", "Host: localhost", json],
      ["DELETE /v1/tokens/x", ...owner],
      ["GET /v1/jobs", ...owner],
      ["GET /healthz", "Host: localhost"],
      ["POST /v1/jobs", "Host: evil.example"],
    ];
    await Promise.all(
      drips.map(async ([line, ...headers]) => {
        const socket = open(impatient);
        socket.on("error", () => {}).resume();
        socket.write(`${line} HTTP/1.1\r\n${headers.join("\r\n")}\r\nContent-Length: 100000\r\n\r\n`);
        const drip = setInterval(() => socket.write(" "), 20);
        await closed(socket);
        clearInterval(drip);
      }),
    );
    expect((await fetch(`${impatient}/healthz`)).status).toBe(200);
  });

  it("of an answer that nobody takes is not kept for ever, nor a connection that asks nothing", async () => {
    const silent = open(impatient);
    await closed(silent.resume());
    const greedy = open(impatient);
    greedy.on("error", () => {}).pause();
    greedy.write("GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(300));
    // What is written to a connection that is gone says so.
    const knock = setInterval(() => greedy.write("\r\n"), 50);
    await closed(greedy);
    clearInterval(knock);
  });

  it("that is a bomb for whoever looks into it is refused like any other", async () => {
    const deep = (open: string, close: string, count: number) => open.repeat(count) + close.repeat(count);
    const bombs = [
      besieged.order({ job: { x: deep("[", "]", 3) } }).replace('"[[[]]]"', deep("[", "]", 50_000)),
      `{"job":${deep('{"a":', "}", 20_000).replace("}", "1}")}}`,
      `{"job":{"version":1e999},"repository":{"path":"/"}}`,
      `{"job":{"version":${"9".repeat(100_000)}},"repository":{"path":"/"}}`,
      `{"job":{"version":1,"version":2},"repository":{"path":"/etc"},"repository":{"path":"/root"}}`,
      `{"__proto__":{"isTrusted":true},"job":{},"repository":{"path":"/etc"}}`,
      `{"constructor":{"prototype":{"isTrusted":true}},"job":{},"repository":{"path":"/etc"}}`,
      `{"job":{"__proto__":{"version":1}},"repository":{"path":"/etc","__proto__":{"url":"x"}}}`,
      `{"job":{"version":1,"inputs":{"__proto__":{"default":"x"}}},"inputs":{"__proto__":"x"},"repository":{"path":"/etc"}}`,
      `{"job":{},"files":{"../../../etc/passwd":"x","\\u0000":"y"},"repository":{"path":"/etc"}}`,
      `{"job":{"name":"\\u0000\\ud800"},"repository":{"path":"\\u0000"}}`,
      `${" ".repeat(100_000)}`,
      `"${"\\u0000".repeat(10_000)}"`,
      `[${"1,".repeat(90_000)}1]`,
    ];
    await all(bombs, async (bomb) =>
      expectRefused(await besieged.post("/v1/jobs", bomb), [400, 403, 422], bomb.slice(0, 80)),
    );
    expect(({} as { isTrusted?: boolean }).isTrusted).toBeUndefined();
  });
});

describe("headers", () => {
  it("give nobody a name that is not theirs", async () => {
    const bearer = `Bearer ${served.secret}`;
    const wrong = [
      [`Authorization: Basic ${Buffer.from(`x:${served.secret}`).toString("base64")}`],
      [`Authorization: ${bearer}`, "Authorization: Bearer x"],
      ["Authorization: Bearer x", `Authorization: ${bearer}`],
      [`Authorization: Bearer x, ${bearer}`],
      [`Authorization: Bearer\t${served.secret}`],
      [`Authorization: ${bearer} extra`],
      [`Proxy-Authorization: ${bearer}`],
      [`X-Authorization: ${bearer}`],
      [`Cookie: token=${served.secret}; authorization=${served.secret}`],
      [`X-Forwarded-User: first`, "X-Remote-User: first", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1"],
      [`Authorization: Bearer ${createHash("sha256").update(served.secret).digest("hex")}`],
      ["Authorization: Bearer null"],
      [`Authorization: Bearer ${"a".repeat(5_000)}`],
    ];
    await all(wrong, async (headers) => {
      expectRefused(await send(served.url, "GET /v1/jobs", ["Host: localhost", ...headers]), 401, headers);
    });
    const websocket = ["Host: localhost", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    expectRefused(await send(served.url, "GET /v1/jobs", websocket), 401, "an upgrade");
    const odd = await send(served.url, "GET /v1/jobs", ["hOsT: LOCALHOST", `aUTHORIZATION: bEaReR ${served.secret}`]);
    expect(odd.status).toBe(200);
    besieged.expectNoSecret({ ...odd, body: "" });
    for (const path of ["/v1/jobs", "/docs", "/openapi.json", `/v1/jobs/${job.id}/patch`, "/nothing"]) {
      const answer = await send(served.url, `GET ${path}?access_token=${served.secret}`, ["Host: localhost"]);
      expect([path, answer.status === 200 && path.startsWith("/v1")]).toEqual([path, false]);
      expect(answer.body).not.toContain(served.secret);
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(JSON.stringify(besieged.log)).not.toContain(served.secret);
  });

  it("that are too many, too large, folded or broken end the connection with a problem", async () => {
    const cases: [string[], number[]][] = [
      [[`X: ${"y".repeat(20_000)}`], [431]],
      [Array.from({ length: 300 }, () => "a: b"), [431]],
      [Array.from({ length: 3_000 }, (_, n) => `X${n}: y`), [431]],
      [["X: a\r\n folded"], [400]],
      [["X: a\u0000b"], [400]],
      [["X : y"], [400]],
      [["X"], [400]],
      [[": y"], [400]],
      [["X: a\rY: b"], [400]],
      [["Content-Length: 0", "Transfer-Encoding: chunked"], [400]],
      [["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], [400]],
      [["Transfer-Encoding: xchunked"], [400]],
      [["Transfer-Encoding:\u000bchunked"], [400]],
      [["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", "Transfer-Encoding: chunked, chunked"], [400]],
    ];
    await all(cases, async ([headers, statuses]) => {
      const got = await exchange(
        served.url,
        `GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n${headers.join("\r\n")}\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      const answers = answersIn(got);
      expect([headers[0]?.slice(0, 40), answers.length]).toEqual([headers[0]?.slice(0, 40), 1]);
      expectRefused(answers[0], statuses, headers[0]?.slice(0, 40));
    });
    for (const first of [
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "GET /healthz\r\n\r\n",
      "GET /healthz HTTP/1.1\nHost: localhost\n\n",
    ]) {
      expect([first, answersIn(await exchange(served.url, first)).map(({ status }) => status)]).toEqual([first, [400]]);
    }
  });

  it("are not told back, so that no line break of a caller starts a line of an answer", async () => {
    const inject = "x%0d%0aX-Injected:%201%0d%0a%0d%0a<script>alert(1)</script>";
    for (const path of [
      `/${inject}`,
      `/v1/jobs/${inject}`,
      `/v1/jobs/${job.id}/patch?task=${inject}`,
      `/v1/runs/${inject}`,
      `/docs?${inject}`,
    ]) {
      const answer = await send(served.url, `GET ${path}`, [...owner, `X-Request-Id: evil`, `traceparent: ${inject}`]);
      expect(answer.headers).not.toHaveProperty("x-injected");
      expect(answer.headers["x-request-id"]).not.toBe("evil");
      if (!path.startsWith("/docs")) expect(answer.headers["content-type"]).toBe("application/problem+json");
    }
    const made = await besieged.post("/v1/jobs", besieged.order({ name: "write" }), [
      "Idempotency-Key: a:b",
      "X-Forwarded-Prefix: //evil.example",
    ]);
    expect(made.headers.location).toMatch(/^\/v1\/jobs\/[0-9a-f-]{36}$/);
  });

  it("of one request are not those of the next on the same connection", async () => {
    const keep = "GET /v1/jobs?limit=1 HTTP/1.1\r\nHost: localhost\r\n";
    const both = await exchange(
      served.url,
      `${keep}Authorization: Bearer ${served.secret}\r\n\r\n${keep}\r\n${keep}Connection: close\r\n\r\n`,
    );
    expect(answersIn(both).map(({ status }) => status)).toEqual([200, 401, 401]);
    const hidden = `GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${served.secret}\r\n\r\n`;
    const inBody = await exchange(
      served.url,
      `POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n${json}\r\n${length(hidden)}\r\n\r\n${hidden}GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answersIn(inBody).map(({ status }) => status)).toEqual([401, 200]);
  });
});
