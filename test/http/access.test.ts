import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createToken, listTokens, revokeToken, rotateToken } from "../../src/access/change-tokens.ts";
import { openTokens, type Tokens } from "../../src/access/open-tokens.ts";
import { type Scope, scopes } from "../../src/access/token.ts";
import { openAudit } from "../../src/db/audit.ts";
import { openServer } from "../../src/http/listen.ts";
import { silentLog } from "../../src/log/log.ts";
import { auditedCall } from "../../src/protocol/audited-call.ts";
import { createRedactor } from "../../src/telemetry/redact.ts";
import { send } from "./raw.ts";
import { openServed, type Served } from "./served.ts";

const clock = { now: Date.now, random: randomBytes };
let served: Served;
let isAuditBroken = false;

beforeAll(async () => {
  served = await openServed({
    changed: (order) => ({
      ...order,
      audit: {
        ...order.audit,
        begin: (call) => (isAuditBroken ? Promise.reject(new Error("the disk is gone")) : order.audit.begin(call)),
      },
    }),
  });
});
afterAll(() => served[Symbol.asyncDispose]());

const json = { "content-type": "application/json" };

/** A request with that secret, or none. */
function ask(secret: string | undefined, call: string, body?: unknown): Promise<Response> {
  const [method = "", path] = call.split(" ");
  const headers = { ...(secret ? { authorization: `Bearer ${secret}` } : {}), ...(body === undefined ? {} : json) };
  return fetch(served.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

async function make(name: string, held: Scope[], more: object = {}): Promise<string> {
  const answer = await ask(served.secret, "POST /v1/tokens", { name, scopes: held, ...more });
  expect(answer.status).toBe(201);
  return z.object({ secret: z.string() }).parse(await answer.json()).secret;
}

async function codeOf(answer: Response): Promise<[number, string]> {
  return [answer.status, z.object({ code: z.string() }).parse(await answer.json()).code];
}

describe("a route", () => {
  it("takes a token of exactly one scope, or of admin, and no other", async () => {
    const secrets = new Map<string, string>();
    for (const scope of scopes) secrets.set(scope, await make(`only-${scope}`, [scope]));
    const document = await (await fetch(`${served.url}/openapi.json`)).json();
    const table = operationsOf(document).filter(({ scope }) => scope !== undefined);
    expect(table.length).toBeGreaterThan(14);
    for (const { method, path, scope } of table) {
      // A method and an address that can be asked for without harm: there is nothing of these names.
      const call = `${method} ${path.replace("{sha256}", "0".repeat(64)).replace(/\{\w+\}/g, "nobody-0")}`;
      expect([call, (await ask(undefined, call)).status]).toEqual([call, 401]);
      for (const [held, secret] of secrets) {
        const answer = await ask(secret, call);
        await answer.body?.cancel();
        const isLet = held === scope || held === "admin";
        expect([call, held, answer.status === 403]).toEqual([call, held, !isLet]);
      }
    }
    const documented = readFileSync(new URL("../../docs/http.md", import.meta.url), "utf8");
    const rows = table.map(({ method, path, scope }) => `| \`${method} ${path}\` | ${scope} |`);
    expect(rows.filter((row) => !documented.includes(row))).toEqual([]);
  });

  it("without a scope only tells of the server itself", async () => {
    const document = await (await fetch(`${served.url}/openapi.json`)).json();
    const open = operationsOf(document).filter(({ scope }) => scope === undefined);
    expect(open.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET /healthz", "GET /readyz"]);
  });
});

function operationsOf(document: unknown): { method: string; path: string; scope: string | undefined }[] {
  const shape = z.object({
    paths: z.record(
      z.string(),
      z.record(z.string(), z.object({ security: z.array(z.object({ bearer: z.array(z.string()).length(1) })) })),
    ),
  });
  return Object.entries(shape.parse(document).paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { security }]) => {
      return { method: method.toUpperCase(), path, scope: security[0]?.bearer[0] };
    }),
  );
}

describe("a token over HTTP", () => {
  it("is made, listed without its secret, rotated with a time of grace, and revoked at once", async () => {
    const first = await make("nightly", ["read"], { expires_in: "30d" });
    expect((await ask(first, "GET /v1/jobs")).status).toBe(200);
    const listed = await (await ask(served.secret, "GET /v1/tokens")).text();
    expect(JSON.parse(listed).data).toContainEqual(
      expect.objectContaining({ name: "nightly", scopes: ["read"], state: "valid", expires_at: expect.any(String) }),
    );
    expect(listed).not.toMatch(/sha256|sheaf_|secret/);
    const rotate = async (body: object) =>
      z
        .object({ secret: z.string() })
        .parse(await (await ask(served.secret, "POST /v1/tokens/nightly/rotate", body)).json());
    const { secret: second } = await rotate({ grace: "1h" });
    for (const secret of [first, second]) expect((await ask(secret, "GET /v1/jobs")).status).toBe(200);
    const { secret: third } = await rotate({});
    const asked = await Promise.all([first, second, third].map((secret) => ask(secret, "GET /v1/jobs")));
    expect(asked.map(({ status }) => status)).toEqual([401, 401, 200]);
    expect((await ask(served.secret, "DELETE /v1/tokens/nightly")).status).toBe(200);
    expect((await ask(third, "GET /v1/jobs")).status).toBe(401);
    expect(await codeOf(await ask(served.secret, "DELETE /v1/tokens/nightly"))).toEqual([404, "unknown_token"]);
  });

  it("is refused where its name, scopes or time are none, and where nobody could manage the server any more", async () => {
    const wrong = [
      { name: "", scopes: ["read"] },
      { name: "../x", scopes: ["read"] },
      { name: "a/b", scopes: ["read"] },
      { name: "x".repeat(65), scopes: ["read"] },
      { name: "é", scopes: ["read"] },
      { name: "a\n", scopes: ["read"] },
      { name: "Operator", scopes: ["read"] },
      { name: "socket", scopes: ["read"] },
      { name: "x", scopes: [] },
      { name: "x", scopes: ["read", "read"] },
      { name: "x", scopes: ["root"] },
      { name: "x", scopes: ["read"], expires_in: "0d" },
      { name: "x", scopes: ["read"], expires_in: 30 },
      { name: "x", scopes: ["read"], sha256: "0".repeat(64) },
    ];
    for (const body of wrong) {
      expect([body, ...(await codeOf(await ask(served.secret, "POST /v1/tokens", body)))]).toEqual([
        body,
        400,
        "invalid",
      ]);
    }
    await make("twice", ["read"]);
    const again = await ask(served.secret, "POST /v1/tokens", { name: "twice", scopes: ["admin"] });
    expect(await codeOf(again)).toEqual([409, "token_exists"]);
    expect((await ask(served.secret, "DELETE /v1/tokens/only-admin")).status).toBe(200);
    expect(await codeOf(await ask(served.secret, "DELETE /v1/tokens/first"))).toEqual([409, "last_admin"]);
    for (const name of ["nobody", "..%2ffirst", "%00", "x".repeat(5_000)]) {
      expect(await codeOf(await ask(served.secret, `DELETE /v1/tokens/${name}`))).toEqual([404, "unknown_token"]);
    }
  });
});

describe("a stream of events", () => {
  it("ends soon after the token of its reader has", async () => {
    const secret = await make("follower", ["read"]);
    const { id } = await served.submit("wait");
    const lively = await served.impatient({ heartbeatMs: 50 });
    const stream = await fetch(`${lively}/v1/jobs/${id}/events`, { headers: { authorization: `Bearer ${secret}` } });
    const read = stream.text().catch(() => "cut off");
    expect((await ask(served.secret, "DELETE /v1/tokens/follower")).status).toBe(200);
    expect(await read).toBe("cut off");
    await ask(served.secret, `POST /v1/jobs/${id}/cancel`);
  });
});

describe("a stream of a token that loses its scope", () => {
  it("ends as well", async () => {
    const secret = await make("narrowed", ["read", "run"]);
    const { id } = await served.submit("wait");
    const lively = await served.impatient({ heartbeatMs: 50 });
    const stream = await fetch(`${lively}/v1/jobs/${id}/events`, { headers: { authorization: `Bearer ${secret}` } });
    const read = stream.text().catch(() => "cut off");
    const file = join(served.bench.equipment.home, "tokens.json");
    const shape = z.object({ tokens: z.array(z.looseObject({ name: z.string() })) });
    const { tokens } = shape.parse(JSON.parse(readFileSync(file, "utf8")));
    const narrowed = tokens.map((token) => (token.name === "narrowed" ? { ...token, scopes: ["run"] } : token));
    writeFileSync(file, JSON.stringify({ tokens: narrowed }), { mode: 0o600 });
    expect(await read).toBe("cut off");
    expect((await ask(secret, `POST /v1/jobs/${id}/cancel`)).status).toBe(202);
  });
});

describe("tokens of a data folder", () => {
  it("are changed by many at once without one being lost, while a server has them open", async () => {
    const place = { home: join(served.bench.folder, "other"), clock };
    const tokens: Tokens = await openTokens(place.home, { clock, log: silentLog });
    await Promise.all(Array.from({ length: 12 }, (_, n) => createToken({ name: `t${n}`, scopes: ["read"] }, place)));
    await Promise.all([
      rotateToken({ name: "t1", graceMs: 0 }, place),
      revokeToken({ name: "t2", keepsAdmin: false }, place),
    ]);
    const names = (await listTokens(place)).map(({ name }) => name);
    expect(names.sort()).toEqual(
      ["first", ...Array.from({ length: 12 }, (_, n) => `t${n}`)].filter((n) => n !== "t2").sort(),
    );
    for (const file of readdirSync(place.home).filter((name) => name.startsWith("token") && name !== "tokens.lock")) {
      expect(statSync(join(place.home, file)).mode & 0o777).toBe(0o600);
    }
    const made = await createToken({ name: "late", scopes: ["run"] }, place);
    const secret = "secret" in made ? made.secret : "";
    while (!(await tokens.find(secret))) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await tokens.find(secret)).toEqual({ name: "late", scopes: ["run"] });
  });

  it("end when their time has come, and so does a secret from before a rotation", async () => {
    let now = Date.now();
    const place = { home: join(served.bench.folder, "timed"), clock: { now: () => now, random: randomBytes } };
    const tokens = await openTokens(place.home, { clock: place.clock, log: silentLog });
    const short = await tokens.create({ name: "short", scopes: ["read"], expiresInMs: 60_000 });
    const before = readFileSync(join(place.home, "token"), "utf8").trim();
    await tokens.rotate("first", 30_000);
    const after = readFileSync(join(place.home, "token"), "utf8").trim();
    expect(after).not.toBe(before);
    const found = async () => [
      (await tokens.find("secret" in short ? short.secret : ""))?.name,
      (await tokens.find(before))?.name,
      (await tokens.find(after))?.name,
    ];
    expect(await found()).toEqual(["short", "first", "first"]);
    now += 31_000;
    expect(await found()).toEqual(["short", undefined, "first"]);
    now += 31_000;
    expect(await found()).toEqual([undefined, undefined, "first"]);
    expect((await tokens.list()).map(({ name, state }) => [name, state])).toEqual([
      ["first", "valid"],
      ["short", "expired"],
    ]);
    expect(await tokens.rotate("short", 0)).toMatchObject({ code: "token_expired" });
  });
});

describe("the audit log", () => {
  const page = z.object({ data: z.array(auditedCall), next_cursor: z.string().nullable(), has_more: z.boolean() });
  const newest = async (query = "?limit=200") =>
    page.parse(await (await ask(served.secret, `GET /v1/audit${query}`)).json());

  it("has every call that asked for a change, with its answer, and nothing of what was in it", async () => {
    const secret = `sheaf_${"k".repeat(43)}`;
    const reader = await make("reader", ["read"]);
    const own = `${served.url.replace("http://", "")}`;
    expect(own).toMatch(/^127/);
    await ask(served.secret, "GET /v1/jobs");
    await ask(served.secret, `POST /v1/jobs?token=${secret}`, { job: {}, note: secret });
    await ask(reader, "POST /v1/jobs", { job: {} });
    await ask(undefined, "POST /v1/jobs", { job: {} });
    await ask(served.secret, `DELETE /v1/jobs/${secret}`);
    await ask(served.secret, "POST /v1/jobs/nobody-0/cancel");
    await ask(served.secret, "PATCH /v1/jobs/%00%0d%0aX");
    await fetch(`${served.url}/v1/jobs`, {
      method: "POST",
      headers: { ...served.authorized, origin: "http://evil.example" },
    });
    const { data } = await newest("?limit=7");
    expect(data.map(({ actor, method, path, status }) => [actor, method, path, status])).toEqual([
      ["first", "POST", "/v1/jobs", 403],
      ["first", "PATCH", "/v1/jobs/%00%0d%0aX", 405],
      ["first", "POST", "/v1/jobs/nobody-0/cancel", 404],
      ["first", "DELETE", "/v1/jobs/[redacted:sheaf-token]", 405],
      [null, "POST", "/v1/jobs", 401],
      ["reader", "POST", "/v1/jobs", 403],
      ["first", "POST", "/v1/jobs", 400],
    ]);
    for (const call of data) expect(call).toMatchObject({ address: "127.0.0.1", answered_at: expect.any(String) });
    expect(JSON.stringify(await newest())).not.toContain(secret);
  });

  it("comes in pages without a row twice or left out, and refuses a cursor that no page gave", async () => {
    const all = (await newest()).data.map(({ id }) => id);
    const ids: string[] = [];
    for (let query = "?limit=7"; query !== ""; ) {
      const got = await newest(query);
      ids.push(...got.data.map(({ id }) => id));
      query = got.has_more ? `?limit=7&cursor=${got.next_cursor}` : "";
    }
    expect(ids).toEqual(all);
    for (const text of [
      "x",
      "after:x",
      "after:2026-01-01T00:00:00.000Z/x",
      `after:2026-02-30T00:00:00.000Z/${"0".repeat(8)}-0000-0000-0000-${"0".repeat(12)}`,
    ]) {
      const cursor = Buffer.from(text).toString("base64url");
      expect((await ask(served.secret, `GET /v1/audit?cursor=${cursor}`)).status).toBe(400);
    }
  });

  it("names the operator at the socket, and a call that it cannot write down is not carried out", async () => {
    const door = openServer(served.app, true);
    const path = join(served.bench.folder, "audit.sock");
    await new Promise<void>((resolve) => door.listen({ path }, resolve));
    const { request } = await import("node:http");
    const cancel = () =>
      new Promise<number>((resolve) => {
        const options = { socketPath: path, path: "/v1/jobs/nobody-1/cancel", method: "POST", headers: { host: "x" } };
        request(options, (answer) => answer.resume().on("end", () => resolve(answer.statusCode ?? 0))).end();
      });
    expect(await cancel()).toBe(404);
    expect((await newest("?limit=1")).data[0]).toMatchObject({ actor: "operator", address: null, status: 404 });
    isAuditBroken = true;
    expect(await cancel()).toBe(503);
    expect(await codeOf(await ask(served.secret, "POST /v1/tokens", { name: "unseen", scopes: ["read"] }))).toEqual([
      503,
      "not_recorded",
    ]);
    expect((await ask(served.secret, "GET /v1/jobs")).status).toBe(200);
    isAuditBroken = false;
    expect(await (await ask(served.secret, "GET /v1/tokens")).text()).not.toContain("unseen");
    door.close();
    door.closeAllConnections();
  });

  it("is not filled by callers without a token, who are refused all the same", async () => {
    const before = (await newest()).data.filter(({ actor }) => actor === null).length;
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(undefined, "POST /v1/jobs", {})));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    const rows = (await newest()).data.filter(({ actor }) => actor === null).length - before;
    // A minute may end meanwhile.
    expect(rows).toBeLessThanOrEqual(40);
    expect((await ask(served.secret, "POST /v1/jobs/nobody-2/cancel")).status).toBe(404);
    expect((await newest("?limit=1")).data[0]).toMatchObject({ actor: "first", path: "/v1/jobs/nobody-2/cancel" });
  });

  it("is not filled by a token's calls that no address takes, and has what expects too much", async () => {
    const own = async () => (await newest()).data.filter(({ path }) => path.startsWith("/v1/nowhere"));
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => ask(served.secret, `POST /v1/nowhere/${n}`, {})),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
    expect((await own()).length).toBeLessThanOrEqual(40);
    const headers = ["Host: localhost", `Authorization: Bearer ${served.secret}`, "Expect: foo", "Content-Length: 0"];
    expect((await send(served.url, "POST /v1/jobs/nobody-3/cancel", headers)).status).toBe(417);
    expect((await newest("?limit=1")).data[0]).toMatchObject({ path: "/v1/jobs/nobody-3/cancel", status: 417 });
  });

  it("keeps what was refused for thirty days", async () => {
    let now = Date.now() - 40 * 86_400_000;
    const { database } = served.bench.equipment;
    const audit = openAudit({ clock: { now: () => now, random: randomBytes }, redact: createRedactor([]) }, database);
    const call = { address: "10.9.8.7", method: "POST", path: "/old", requestId: "r" };
    await audit.begin({ ...call, actor: undefined });
    await audit.end(await audit.begin({ ...call, actor: "ci", path: "/kept" }), 202);
    await audit.end(await audit.begin({ ...call, actor: "ci", path: "/refused" }), 403);
    now = Date.now();
    await audit.begin({ ...call, actor: undefined, path: "/new" });
    const paths = (await newest()).data.filter(({ address }) => address === "10.9.8.7").map((row) => row.path);
    expect(paths).toEqual(["/new", "/kept"]);
  });
});
