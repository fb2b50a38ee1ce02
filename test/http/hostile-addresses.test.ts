import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { all, type Besieged, besiege, json, length } from "./besiege.ts";
import { closed, firstWord, open, send } from "./raw.ts";
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

describe("an address", () => {
  const tricks = [
    "..",
    "../..",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2ftokens.json",
    "..%2f..%2f..%2fetc%2fpasswd",
    "..%252f..%252ftokens.json",
    "%252e%252e",
    "..%5c..%5ctoken",
    "..\\..\\token",
    "%00",
    "last%00",
    "last%00.patch",
    "last;x=1",
    "last.",
    "last%20",
    "last%2f..%2flast",
    "%c0%ae%c0%ae%c0%af",
    "%ef%bc%8e%ef%bc%8e",
    "la%ef%bd%93t",
    "%u002e%u002e",
    "LAST",
    "~root",
    "file:%2f%2f%2fetc%2fpasswd",
    "C:%5cwindows",
    "%",
    "%zz",
    "'%20or%201=1--",
    "$(id)",
    "{{7*7}}",
    "a".repeat(101),
    "a".repeat(8_000),
    "-",
    ".git",
    "00000000-0000-0000-0000-000000000000",
    "01a20632-70ba-7273-a89f-622e2f34d0f1",
    "nobody-1",
  ];

  it("of what is not there answers alike, whatever stands in it", async () => {
    const files = ["/v1/jobs/@/patch", "/v1/jobs/@/bundle", "/v1/runs/@/events"];
    const places = [...files, "/v1/jobs/@", "/v1/jobs/@/events", "/v1/jobs/@/tasks", "/v1/jobs/@/trace", "/v1/runs/@"];
    const cases = files.flatMap((place) => tricks.map((trick) => place.replace("@", trick)));
    await all(cases, async (path) => {
      const answer = await send(served.url, `GET ${path}`, owner);
      expectRefused(answer, [400, 404, 405], path);
    });
    const shape = async (path: string) => {
      const { status, body, headers } = await send(served.url, `GET ${path}`, owner);
      const { code, title, remedy } = JSON.parse(body);
      return { status, code, title, remedy, names: Object.keys(headers).sort() };
    };
    for (const place of places) {
      const known = await shape(place.replace("@", "01a20632-70ba-7273-a89f-622e2f34d0f1"));
      expect(known.status).toBe(404);
      for (const trick of ["nobody-1", "%00", "..%2f", "a".repeat(101)]) {
        expect([place, trick, await shape(place.replace("@", trick))]).toEqual([place, trick, known]);
      }
    }
    const task = `/v1/jobs/${job.id}/patch?task=`;
    for (const trick of tricks.filter((one) => one.length <= 101 && !one.includes("{") && !one.includes("\\"))) {
      expectRefused(await send(served.url, `GET ${task}${trick}`, owner), [400, 404], trick);
    }
    for (const trick of [...tricks, "0".repeat(63), "0".repeat(65), "g".repeat(64)]) {
      const answer = await send(served.url, `PUT /v1/bundles/${trick}`, [...owner, "Content-Length: 0"]);
      expectRefused(answer, [400, 404, 405], trick);
    }
  });

  it("is asked for a token in whatever way it is written", async () => {
    const ways = [
      "/v1/jobs",
      "/%76%31/jobs",
      "/v1/%6aobs",
      "//v1/jobs",
      "/./v1/jobs",
      "/x/../v1/jobs",
      "/healthz/../v1/jobs",
      "/V1/jobs",
      "/v1/jobs/",
      "/v1/jobs;x",
      "/v1\\jobs",
      "/v1/jobs%2f",
      "/v1/jobs%3f",
      "/v1/jobs#x",
      "/healthz%2f..%2fv1/jobs",
      "http://localhost/v1/jobs",
    ];
    await all(ways, async (way) => {
      const answer = await send(served.url, `GET ${way}`, ["Host: localhost"]);
      expectRefused(answer, [400, 401, 403, 404], way);
      expectRefused(
        await send(served.url, `POST ${way}`, ["Host: localhost", json, length("{}")], "{}"),
        [400, 401, 403, 404],
        way,
      );
    });
    expectRefused(await send(served.url, `GET /${"x".repeat(20_000)}`, owner), 431, "long");
  });
});

describe("a stream of events", () => {
  it("takes no place that is none, and no more readers than there may be", async () => {
    const wrong = ["-1", "1e9", "0x1", " ", "1,2", "9".repeat(30), "1.5", "\u00b9", "null", "999999999"];
    await all(wrong, async (id) => {
      const answer = await send(served.url, `GET /v1/jobs/${job.id}/events`, [...owner, `Last-Event-ID: ${id}`]);
      expectRefused(answer, 400, id);
    });
    const twice = [...owner, "Last-Event-ID: 1", "Last-Event-ID: 2"];
    expectRefused(await send(served.url, `GET /v1/jobs/${job.id}/events`, twice), 400, "two places");
    const running = await served.submit("wait");
    const read = `GET /v1/jobs/${running.id}/events HTTP/1.1\r\n${owner.join("\r\n")}\r\n\r\n`;
    const readers = Array.from({ length: 30 }, () => {
      const socket = open(impatient);
      socket.on("error", () => {}).write(read);
      return socket;
    });
    const words = await Promise.all(readers.map(firstWord));
    expect(words.filter((word) => word.startsWith("HTTP/1.1 200")).length).toBe(8);
    for (const socket of readers) socket.end();
    // Who says that there is nothing more to come is not written to for ever.
    await Promise.all(readers.map(closed));
    expect((await fetch(`${impatient}/healthz`)).status).toBe(200);
    await served.ask(`/v1/jobs/${running.id}/cancel`, { method: "POST" });
  });
});

describe("what a job asks for", () => {
  it("makes the server call nobody that its operator did not allow", async () => {
    const port = besieged.victimPort;
    const urls = [
      "file:///etc/passwd",
      `file://${served.repository}`,
      served.repository,
      "ext::sh -c 'touch /tmp/owned'",
      "fd::17",
      "--upload-pack=touch /tmp/owned",
      "-u",
      `http://127.0.0.1:${port}/x.git`,
      `http://localhost:${port}/x.git`,
      `http://[::1]:${port}/x.git`,
      `http://2130706433:${port}/x.git`,
      "http://169.254.169.254/latest/meta-data/",
      "http://metadata.google.internal/x.git",
      "http://10.0.0.1/x.git",
      "ssh://-oProxyCommand=touch%20owned/x",
      "ssh://localhost/x",
      "git@localhost:x.git",
      `git://127.0.0.1:${port}/x`,
      `http://127.0.0.1:${besieged.mirrorPort}@127.0.0.1:${port}/x.git`,
      `http://127.0.0.1:${besieged.mirrorPort}.evil.example/x.git`,
      `http://127.0.0.1:${besieged.mirrorPort}/../x.git`,
      `http://127.0.0.1:${besieged.mirrorPort}/%2e%2e/x.git`,
      `http://127.0.0.1:${besieged.mirrorPort}/x.git\nhttp://127.0.0.1:${port}/`,
    ];
    const job1 = { version: 1, each: [{ codemod: "node-protocol" }] };
    await all(urls, async (url) => {
      expectRefused(await besieged.post("/v1/jobs", JSON.stringify({ job: job1, repository: { url } })), 403, url);
    });
    const sent = { job: job1, repository: { url: `http://127.0.0.1:${besieged.mirrorPort}/x.git` } };
    expectRefused(await besieged.post("/v1/jobs", JSON.stringify(sent)), [422, 503], "a redirect");
    expect(besieged.calls).toEqual([]);
    for (const path of ["/etc", "/", "/proc/self/cwd", "..", ".", "~", `${served.repository}/../../../etc`, "\u0000"]) {
      expectRefused(
        await besieged.post("/v1/jobs", JSON.stringify({ job: job1, repository: { path } })),
        [400, 403, 422],
        path,
      );
    }
  });

  it("under another caller's idempotency key is a job of its own, and tells nothing of the other", async () => {
    const made = await served.ask("/v1/tokens", {
      method: "POST",
      body: JSON.stringify({ name: "other", scopes: ["run"] }),
      headers: { "content-type": "application/json" },
    });
    const { secret } = z.object({ secret: z.string() }).parse(await made.json());
    const mine = JSON.parse((await besieged.post("/v1/jobs", besieged.order(), ["Idempotency-Key: shared"])).body);
    const theirs = (key: string, body: string) =>
      send(
        served.url,
        "POST /v1/jobs",
        ["Host: localhost", `Authorization: Bearer ${secret}`, json, length(body), `Idempotency-Key: ${key}`],
        body,
      );
    const own = JSON.parse((await theirs("shared", besieged.order())).body);
    expect(own.id).not.toBe(mine.id);
    for (const key of ["first/shared"]) {
      const answer = await theirs(key, besieged.order());
      expect([key, answer.status]).toEqual([key, 202]);
      expect(JSON.parse(answer.body).id).not.toBe(mine.id);
    }
    for (const key of ["", " ", "a b", "x".repeat(201), "é", "a\u0001", "a\tb"]) {
      expectRefused(await theirs(key, besieged.order()), 400, key);
    }
    const twice = ["Idempotency-Key: a", "Idempotency-Key: b"];
    expectRefused(await besieged.post("/v1/jobs", besieged.order(), twice), 400, "two keys");
  });
});

describe("a page", () => {
  it("loads nothing, runs nothing and is shown in no frame", async () => {
    const answer = await send(served.url, "GET /docs", ["Host: localhost"]);
    expect(answer.status).toBe(200);
    besieged.expectNoSecret(answer);
    const policy = answer.headers["content-security-policy"] ?? "";
    expect(policy).not.toMatch(/unsafe|\*|http:|data:/);
    for (const part of ["default-src 'none'", "base-uri 'none'", "form-action 'none'"]) expect(policy).toContain(part);
    expect(answer.body).not.toMatch(/<script|\son\w+=|style="|javascript:/i);
    expect(answer.headers["cross-origin-resource-policy"]).toBe("same-origin");
    expect(answer.headers["cross-origin-opener-policy"]).toBe("same-origin");
  });
});
