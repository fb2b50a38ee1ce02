import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { storeApproval } from "../../src/db/store-approval.ts";
import { type ApprovalView, approvalView } from "../../src/protocol/approval.ts";
import { randomUuid, taskId } from "../../src/protocol/ids.ts";
import { connect } from "../../src/remote/connection.ts";
import { remoteCoordinator } from "../../src/remote/remote-coordinator.ts";
import { claimedRuns } from "../support/job.ts";
import { openServed, type Served } from "./served.ts";

const clock = { now: Date.now, random: randomBytes };
let served: Served;
beforeAll(async () => {
  served = await openServed();
});
afterAll(() => served[Symbol.asyncDispose]());

/** A stored question of a job of its own, which expires after so many milliseconds. */
async function ask(expiresInMs = 60_000): Promise<{ id: string; job: string }> {
  const { database } = served.bench.equipment;
  const { jobId, agents } = await claimedRuns(1, clock, database);
  const [run] = agents;
  if (!run) throw new Error("no run");
  const id = randomUuid(clock);
  const said = { tool: "bash", input: "npm install", rule: "no rule", source: "task", reason: "no rule covers it" };
  const more = { callId: "c1", inputSha: "0".repeat(64), suggestion: "Bash(npm install)" };
  const expiresAt = Date.now() + expiresInMs;
  await storeApproval({ id, taskId: taskId.parse("one"), ...said, ...more, expiresAt }, { run, clock, database });
  return { id, job: jobId };
}

const page = z.object({ data: z.array(approvalView), next_cursor: z.string().nullable(), has_more: z.boolean() });
const problem = z.object({ code: z.string(), detail: z.string(), status: z.number() });

async function decide(id: string, body: unknown, init: RequestInit = {}) {
  const headers = { "content-type": "application/json" };
  return served.ask(`/v1/approvals/${id}`, { method: "POST", headers, body: JSON.stringify(body), ...init });
}

describe("the questions over HTTP", () => {
  it("are listed by job and state, a page at a time, newest first", async () => {
    const { job } = await ask();
    for (let more = 0; more < 3; more++) await ask();
    const of = await served.ask(`/v1/approvals?state=pending&job=${job}`);
    const { data } = page.parse(await of.json());
    expect(data).toMatchObject([{ job_id: job, state: "pending", suggestion: "Bash(npm install)" }]);
    const seen: ApprovalView[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const next = page.parse(await (await served.ask(`/v1/approvals?limit=2${at}`)).json());
      seen.push(...next.data);
      cursor = next.next_cursor;
      expect(next.has_more).toBe(cursor !== null);
    }
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    expect(seen.map(({ created_at }) => created_at)).toEqual(
      seen
        .map(({ created_at }) => created_at)
        .toSorted()
        .toReversed(),
    );
  });

  it("are answered by the first of twenty; the others get 409 and who that was", async () => {
    const { id } = await ask();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, nth) => decide(id, { decision: nth % 2 ? "allow" : "deny" })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(19).fill(409)]);
    for (const answer of answers.filter(({ status }) => status === 409)) {
      const { code, detail } = problem.parse(await answer.json());
      expect(code).toBe("approval_decided");
      expect(detail).toMatch(/was (allowed|denied) by \S+ at /);
    }
    const view = approvalView.parse(await (await served.ask(`/v1/approvals/${id}`)).json());
    expect(view).toMatchObject({ decided_by: expect.stringMatching(/./), remember: false });
  });

  it("keep the note and that it is remembered", async () => {
    const { id } = await ask();
    const answer = await decide(id, { decision: "deny", remember: true, note: "no network" });
    expect(approvalView.parse(await answer.json())).toMatchObject({
      state: "denied",
      remember: true,
      note: "no network",
    });
  });

  it("are answered no more once they have expired, and are listed as that", async () => {
    const { id, job } = await ask(-1);
    const answer = await decide(id, { decision: "allow" });
    expect([answer.status, problem.parse(await answer.json()).code]).toEqual([409, "approval_expired"]);
    const { data } = page.parse(await (await served.ask(`/v1/approvals?state=expired&job=${job}`)).json());
    expect(data).toMatchObject([{ id, state: "expired" }]);
    expect(page.parse(await (await served.ask(`/v1/approvals?state=pending&job=${job}`)).json()).data).toEqual([]);
  });

  it("are unknown by any other name, and refuse what is no answer without being answered", async () => {
    for (const name of [randomUuid(clock), "last", "%25", "..%2f..%2ftoken", "x".repeat(2_000)]) {
      const [shown, answered] = [await served.ask(`/v1/approvals/${name}`), await decide(name, { decision: "allow" })];
      expect([shown.status, answered.status]).toEqual([404, 404]);
      expect(problem.parse(await answered.json()).code).toBe("unknown_approval");
    }
    const { id } = await ask();
    const bad = [
      {},
      { decision: "yes" },
      { decision: "allow", for: "ever" },
      { decision: "deny", note: "x".repeat(1_001) },
    ];
    for (const body of [...bad, [], "allow", null]) expect((await decide(id, body)).status).toBe(400);
    expect((await decide(id, {}, { body: "decision=allow", headers: { "content-type": "text/plain" } })).status).toBe(
      415,
    );
    expect((await served.ask("/v1/approvals?state=open")).status).toBe(400);
    expect((await served.ask("/v1/approvals?job=nothing-7")).status).toBe(404);
    expect((await served.ask("/v1/approvals?prefix=%25")).status).toBe(400);
    expect(approvalView.parse(await (await served.ask(`/v1/approvals/${id}`)).json()).state).toBe("pending");
  });

  it("show nothing to a token that may not approve, not even whether they are there", async () => {
    const { id } = await ask();
    const made = await served.ask("/v1/tokens", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "reader", scopes: ["read", "run"] }),
    });
    const { secret } = z.object({ secret: z.string() }).parse(await made.json());
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const answers = [id, randomUuid(clock)].flatMap((each) => [
      served.ask(`/v1/approvals/${each}`, { headers }),
      decide(each, { decision: "allow" }, { headers }),
    ]);
    for (const answer of await Promise.all(answers)) {
      expect([answer.status, problem.parse(await answer.json()).code]).toEqual([403, "forbidden"]);
    }
    expect((await served.ask("/v1/approvals", { headers })).status).toBe(403);
  });

  it("are the same to a client of ours", async () => {
    const connection = connect({ url: served.url, token: served.secret });
    const there = remoteCoordinator(connection);
    const { id } = await ask();
    const { approvals } = await there.approvals({ prefix: id.slice(0, 8), state: "pending", limit: 5 });
    expect(approvals.map((each) => each.id)).toEqual([id]);
    expect(await there.decideApproval(id, { decision: "allow" }, "ignored")).toMatchObject({
      kind: "decided",
      approval: { state: "allowed" },
    });
    expect(await there.decideApproval(id, { decision: "deny" }, "")).toMatchObject({
      kind: "settled",
      approval: { state: "allowed" },
    });
    expect(await there.decideApproval(randomUuid(clock), { decision: "deny" }, "")).toEqual({ kind: "unknown" });
    expect(await there.approval("nothing")).toBeUndefined();
    connection.close();
  });
});
