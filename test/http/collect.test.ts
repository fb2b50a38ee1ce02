import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { createToken } from "../../src/access/change-tokens.ts";
import { auditedCall } from "../../src/protocol/audited-call.ts";
import { connect } from "../../src/remote/connection.ts";
import { remoteCoordinator } from "../../src/remote/remote-coordinator.ts";
import { openServed, type Served } from "./served.ts";

let served: Served;
beforeAll(async () => {
  served = await openServed();
});
afterAll(() => served[Symbol.asyncDispose]());

it("gc over HTTP is for admins, only looks unless it is told to remove, and is in the audit log", async () => {
  const { home } = served.bench.equipment;
  const { id } = await served.submit("write");
  await (await served.ask(`/v1/jobs/${id}/events`)).text();
  const place = { home, clock: { now: Date.now, random: randomBytes } };
  const runner = await createToken({ name: "runner", scopes: ["run", "read", "approve"] }, place);
  if (!("secret" in runner)) throw new Error("no token");
  const post = async (secret: string, body: unknown) => {
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const answer = await fetch(`${served.url}/v1/gc`, { method: "POST", headers, body: JSON.stringify(body) });
    return answer.status;
  };
  // The server sees new tokens within a second.
  const headers = { authorization: `Bearer ${runner.secret}` };
  await expect
    .poll(async () => (await fetch(`${served.url}/v1/jobs`, { headers })).status, { timeout: 10_000 })
    .toBe(200);
  expect(await post(runner.secret, {})).toBe(403);
  expect(await post(served.secret, { keep_ms: -1 })).toBe(400);
  expect(await post(served.secret, { everything: true })).toBe(400);
  expect(await post(served.secret, { keep_ms: 0 })).toBe(200);
  expect((await served.ask(`/v1/jobs/${id}`)).status).toBe(200);
  const remote = connect({ url: served.url, token: served.secret });
  const there = remoteCoordinator(remote);
  const report = await there.collect({ is_dry_run: false, has_unknown: false, keep_ms: 0 });
  expect(report.rows).toContainEqual({ what: "jobs", count: 1, bytes: 0, why: "past their time" });
  expect((await served.ask(`/v1/jobs/${id}`)).status).toBe(404);
  remote.close();
  const page = z.object({ data: z.array(auditedCall) }).parse(await (await served.ask("/v1/audit?limit=5")).json());
  expect(page.data.map(({ actor, path, status }) => [actor, path, status])).toEqual([
    ["first", "/v1/gc", 200],
    ["first", "/v1/gc", 200],
    ["first", "/v1/gc", 400],
    ["first", "/v1/gc", 400],
    ["runner", "/v1/gc", 403],
  ]);
});
