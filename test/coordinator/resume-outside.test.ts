import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { rowsOf } from "../../src/db/database.ts";
import { parseRule } from "../../src/permission/rule.ts";
import type { Event, FactData } from "../../src/protocol/event.ts";
import type { JobSpec, ToolServer } from "../../src/protocol/job.ts";
import {
  openThinkingBench,
  ownOf,
  recordRun,
  resume,
  type ThinkingBench,
  thinkingTask,
  type Undisturbed,
} from "../support/thinking-job.ts";

const call = (name: string, input: unknown) => ({ name, input });
const submit = [call("submit", { summary: "done" })];
const write = (file_path: string) => call("write", { file_path, content: "new\n" });
const web = createServer((_, response) => {
  fetched += 1;
  response.end("seen");
});
let fetched = 0;
/** What the model waits for before its second answer. */
let secondTurn: Promise<object> = Promise.resolve({});
let host = "";
const root = join(import.meta.dirname, "../..");
const notes: ToolServer = { kind: "command", name: "notes", run: ["node", join(root, "test/support/tool-server.mjs")] };

const scripts: Readonly<Record<string, () => { name: string; input: unknown }[][]>> = {
  "ask somebody": () => [[write("two/new.txt"), write("one/new.txt")], submit],
  "use the network": () => [
    [
      call("bash", {
        command: `/run/sheaf/node -e 'fetch("http://${host}").then(async (r) => console.log(await r.text()))'`,
      }),
    ],
    submit,
  ],
  "ask a server": () => [[call("mcp__notes__search_notes", { query: "tea" })], submit],
  "just write": () => [[write("one/a.txt")], [call("read", { file_path: "one/a.txt" })], submit],
};

let thinking: ThinkingBench;
beforeAll(async () => {
  await new Promise<void>((done) => web.listen(0, "127.0.0.1", done));
  host = `web.test:${(web.address() as AddressInfo).port}`;
  const script = (first: string) => Object.entries(scripts).find(([prompt]) => first.includes(prompt))?.[1]() ?? [];
  thinking = await openThinkingBench(({ first }) => script(first), {
    read: [join(root, "node_modules"), join(root, "test/support")],
    privateHosts: ["web.test"],
    resolve: async (name) => (name === "web.test" ? ["127.0.0.1"] : []),
    slow: ({ turn }) => (turn === 2 ? secondTurn : {}),
  });
}, 60_000);
afterAll(async () => {
  await thinking[Symbol.asyncDispose]();
  web.close();
});

const files = { "one/a.txt": "a\n" };
const ofType = <T extends Event["type"]>(events: readonly Event[], type: T) =>
  events.flatMap((event) => (event.type === type ? [event.data as FactData<T>] : []));
/** The seq of the first fact that is so. */
const at = ({ own }: Undisturbed, is: (event: Event) => boolean) => own.find(is)?.seq ?? 0;
const execute = (statement: ReturnType<typeof sql>) => thinking.bench.equipment.database.orm.execute(statement);

function record(prompt: string, more: Partial<JobSpec> = {}, allow: string[] = []) {
  const permissions = { allow: allow.map(parseRule), deny: [] };
  const onFact: Parameters<typeof recordRun>[3] = (fact) => {
    if (fact.type !== "approval.requested") return;
    void thinking.bench.coordinator.decideApproval(fact.data.approval_id, { decision: "allow" }, "ops");
  };
  return recordRun(thinking.bench, files, { tasks: [thinkingTask(prompt)], permissions, ...more }, onFact);
}

describe("a question of an agent whose process is gone", () => {
  let before: Undisturbed;
  let id: string;
  beforeAll(async () => {
    before = await record("ask somebody", { permissions: { allow: [], deny: [], mode: "ask" } });
    id = ofType(before.own, "approval.requested")[0]?.approval_id ?? "";
  });
  const requested = () => at(before, ({ type }) => type === "approval.requested");
  const yes = { decision: "allow" } as const;

  async function goOn(during?: Parameters<typeof resume>[2]) {
    const { result, events } = await resume(thinking.bench, before.id, during);
    const own = ownOf(events, before.run);
    expect(result).toMatchObject({ result_tree: before.result.result_tree, tasks: [{ attempts: 1 }] });
    expect(ofType(events, "approval.requested").map(({ approval_id }) => approval_id)).toEqual([id]);
    expect(ofType(events, "approval.resolved")).toMatchObject([
      { approval_id: id, state: "allowed", decided_by: "ops" },
    ]);
    return own;
  }

  it("stays open under its id, and the run waits for it again", async () => {
    await before.recorded.cutAt(requested());
    await goOn(async (heir) => {
      const open = () => heir.approvals({ job: before.id, state: "pending", limit: 9 });
      const [pending] = (await open()).approvals;
      expect(pending?.id).toBe(id);
      expect(await heir.decideApproval(id, yes, "ops")).toMatchObject({ kind: "decided" });
    });
  });

  it("counts as answered, where somebody answered it while nobody was there", async () => {
    await before.recorded.cutAt(requested());
    expect(await thinking.bench.coordinator.decideApproval(id, yes, "ops")).toMatchObject({ kind: "decided" });
    await goOn();
  });

  it("is not put again, where it was stored and its process ended before the log had it", async () => {
    await before.recorded.cutAt(requested());
    await execute(sql`delete from sheaf.events where run_id = ${before.run} and seq = ${requested()}`);
    await execute(sql`update sheaf.runs set head = head - 1 where id = ${before.run}`);
    await execute(sql`update sheaf.jobs set head = head - 1 where run_id = ${before.id}`);
    await thinking.bench.coordinator.decideApproval(id, yes, "ops");
    await goOn();
  });

  it("is not asked again once it was answered, and what was allowed is done", async () => {
    for (const type of ["approval.resolved", "tool.intended", "tool.finished"]) {
      await before.recorded.cutAt(at(before, (event) => event.type === type));
      await goOn();
    }
  });

  it("is told once in the log, where it was withdrawn and the process ended before the log had it", async () => {
    await before.recorded.cutAt(requested());
    await execute(sql`update sheaf.approvals set state = 'withdrawn', decided_at = now() where id = ${id}`);
    // Its step begins from another tree by now: the run that asked is not gone on with.
    await execute(sql`update sheaf.events set data = replace(data::text, ${before.spec.base.tree}, ${"0".repeat(40)})::json
      where run_id = ${before.run} and type = 'run.started'`);
    const { events } = await resume(thinking.bench, before.id, async (heir) => {
      const open = () => heir.approvals({ job: before.id, state: "pending", limit: 9 });
      await vi.waitFor(async () => expect((await open()).approvals).toHaveLength(1), { timeout: 20_000 });
      await heir.decideApproval((await open()).approvals[0]?.id ?? "", yes, "ops");
    });
    const told = ofType(events, "approval.resolved").filter(({ approval_id }) => approval_id === id);
    expect(told).toMatchObject([{ state: "withdrawn" }]);
  });
});

describe("a call whose process is gone while it was under way", () => {
  const unknown = /^Outcome unknown: the process that ran this ended/;
  const cutAfterIntent = async (before: Undisturbed) => {
    await before.recorded.cutAt(at(before, ({ type }) => type === "tool.intended"));
    const { result, events } = await resume(thinking.bench, before.id);
    expect(result.tasks).toMatchObject([{ attempts: 1 }]);
    return ofType(ownOf(events, before.run), "tool.finished")[0];
  };

  it("is told as of unknown outcome where it could reach the network", async () => {
    const task = thinkingTask("use the network", {}, { network: [host] });
    const before = await record("", { tasks: [task] }, ["Bash"]);
    expect(fetched).toBe(1);
    const told = await cutAfterIntent(before);
    expect(told).toMatchObject({
      is_error: true,
      content: expect.stringMatching(unknown),
      receipt: { outcome: "unknown" },
    });
    expect(fetched).toBe(1);
  });

  it("is told as of unknown outcome where it was a server's, unless the server says that it may be repeated", async () => {
    for (const repeatable of [false, true]) {
      const before = await record("ask a server", { servers: [{ ...notes, repeatable }] }, ["mcp__notes"]);
      const told = await cutAfterIntent(before);
      expect(told?.is_error).toBe(!repeatable);
      expect(told?.content).toMatch(repeatable ? /^found tea in call 1/ : unknown);
    }
  });

  it("is not done where a rule denies it now, and stays done where it was", async () => {
    const before = await record("just write");
    const { deny } = thinking.bench.equipment.ceiling.permissions as unknown as {
      deny: ReturnType<typeof parseRule>[];
    };
    deny.push(parseRule("Edit(one/a.txt)"));
    try {
      await before.recorded.cutAt(at(before, ({ type }) => type === "tool.intended"));
      const { result, events } = await resume(thinking.bench, before.id);
      expect(result).toMatchObject({ outcome: "blocked", denials: [{ rule: "Edit(one/a.txt)" }] });
      const own = ownOf(events, before.run).filter(({ type }) => type.startsWith("tool."));
      expect(own.slice(0, 2).map(({ type }) => type)).toEqual(["tool.intended", "tool.denied"]);
    } finally {
      deny.pop();
    }
    await before.recorded.cutAt(1);
    const { result } = await resume(thinking.bench, before.id);
    expect(result.result_tree).toBe(before.result.result_tree);
  });
});

describe("a run that cannot be gone on with", () => {
  it("ends as interrupted where the log tells another story, and its step begins anew", async () => {
    const before = await record("just write");
    await before.recorded.cutAt(at(before, (event) => event.type === "turn.started" && event.data.turn === 2));
    await execute(sql`update sheaf.events set data = replace(data::text, ${blobIn(before)}, ${"0".repeat(40)})::json
      where run_id = ${before.run} and type = 'tool.finished'`);
    const { result, events } = await resume(thinking.bench, before.id);
    expect(result).toMatchObject({
      result_tree: before.result.result_tree,
      tasks: [{ state: "succeeded", attempts: 2 }],
    });
    const ended = ofType(ownOf(events, before.run), "run.finished")[0];
    expect(ended).toMatchObject({ state: "cancelled", failure: { code: "interrupted" } });
    expect(ended?.failure?.message).toContain("came to something else than before");
  });

  it("ends with its job at the latest, where its step begins from another tree by now", async () => {
    const before = await record("just write");
    await before.recorded.cutAt(at(before, (event) => event.type === "turn.started" && event.data.turn === 2));
    await execute(sql`update sheaf.events set data = replace(data::text, ${before.spec.base.tree}, ${"0".repeat(40)})::json
      where run_id = ${before.run} and type = 'run.started'`);
    const { result, events } = await resume(thinking.bench, before.id);
    expect(result).toMatchObject({ result_tree: before.result.result_tree, tasks: [{ attempts: 2 }] });
    const began = ofType(events, "run.started").length;
    expect(ofType(events, "run.finished")).toHaveLength(began);
    const ended = ofType(ownOf(events, before.run), "run.finished")[0];
    expect(ended).toMatchObject({ state: "cancelled", failure: { code: "interrupted" }, turns: 1 });
    const open = sql`select id from sheaf.runs where job_id = ${before.id} and finished_at is null`;
    expect(await rowsOf(thinking.bench.equipment.database.orm, open, z.unknown())).toEqual([]);
  });

  it("fails its task once ten processes have ended while they ran it", async () => {
    const before = await record("just write");
    await before.recorded.cutAt(2);
    await execute(sql`update sheaf.runs set epoch = 10 where id = ${before.run}`);
    const { result } = await resume(thinking.bench, before.id);
    expect(result.tasks).toMatchObject([{ state: "failed", reason: { code: "interrupted_often" } }]);
    expect(result.tasks[0]?.reason?.remedy).toContain(before.run);
  });
});

it("what was said to an agent is told once, and the files of the processes before are gone", async () => {
  const { bench, asked } = thinking;
  const said = Promise.withResolvers<object>();
  secondTurn = said.promise;
  const before = await recordRun(bench, files, { tasks: [thinkingTask("just write")] }, (fact, id) => {
    if (fact.type === "turn.finished" && fact.data.turn === 1)
      bench.coordinator.steer(id, { text: "mind the gap" }).then(() => said.resolve({}), said.reject);
  });
  const workspaces = join(bench.equipment.home, "workspaces");
  const told = (events: readonly Event[]) => ofType(events, "run.notified").map(({ text }) => text);
  const heard = told(before.own);
  expect(heard).toHaveLength(1);
  for (const seq of [1, at(before, ({ type }) => type === "run.notified"), before.recorded.length - 1]) {
    await before.recorded.cutAt(seq);
    mkdirSync(join(workspaces, `${before.run}-1`), { recursive: true });
    writeFileSync(join(workspaces, `${before.run}-1`, "left"), "");
    const since = thinking.server.logged.length;
    const { events } = await resume(bench, before.id);
    expect(told(ownOf(events, before.run)), `cut at ${seq}`).toEqual(heard);
    const last = asked("just write", since).get(3) ?? "mind the gap";
    expect(last.split("mind the gap"), `cut at ${seq}`).toHaveLength(2);
    expect(readdirSync(workspaces)).toEqual([]);
  }
});

function blobIn({ own }: Undisturbed): string {
  return ofType(own, "tool.finished").flatMap(({ changed = [] }) => changed.map(({ blob }) => blob ?? ""))[0] ?? "";
}
