import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { submit } from "../../src/coordinator/submit.ts";
import { rowsOf } from "../../src/db/database.ts";
import { parseRule } from "../../src/permission/rule.ts";
import type { AgentSpec, ScriptedTurn } from "../../src/protocol/agent.ts";
import type { Event } from "../../src/protocol/event.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import { eventsOf, runJobOn, shown } from "../support/bench-job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const files = { "one/a.txt": "a\n", "one/b.txt": "b\n", "two/c.txt": "c\n" };
const call = (tool: string, input: unknown): ScriptedTurn => ({ calls: [{ tool, input }] });
const start = (name: string, more: object = {}) => call("agent", { name, prompt: `do it, ${name}`, ...more });
const write = (file_path: string) => call("write", { file_path, content: "new\n" });
const bash = (command: string) => call("bash", { command });
const done = (summary: string) => call("submit", { summary });

function scripted(name: string, turns: ScriptedTurn[], more: Partial<AgentSpec> = {}): AgentSpec {
  return { name, instructions: "", model: { provider: "scripted", file: `${name}.yaml`, turns }, ...more };
}

interface Wanted extends Pick<Partial<JobSpec>, "limits"> {
  agents: AgentSpec[];
  allow?: string[];
  grant?: string[];
  deny?: string[];
}

function jobOf(turns: ScriptedTurn[], { agents, allow = ["Agent"], grant = [], deny = [], limits }: Wanted) {
  const lead = scripted("lead", [...turns, done("led")]);
  const task: NamedTask = {
    ...{ id: "one", writes: [{ directories: ["one"] }] },
    steps: [{ kind: "agent", agent: lead, prompt: "lead" }],
  };
  const permissions = { allow: allow.map(parseRule), deny: deny.map(parseRule), grant: grant.map(parseRule) };
  const usual = { time_ms: 60_000, idle_ms: 30_000, depth: 2 };
  return { agents, permissions, tasks: [task], limits: { ...usual, ...limits } };
}

const run = (turns: ScriptedTurn[], wanted: Wanted) => runJobOn(bench, files, jobOf(turns, wanted));

/** Of the agent's own calls, in order. */
const told = (events: readonly Event[]) =>
  events.flatMap((event) => (event.type === "tool.finished" && event.data.tool === "agent" ? [event.data] : []));

const parents = z.object({ id: z.string(), parent_id: z.string(), state: z.string() });

it("an agent works in the files of the one that started it, in a run of its own", async () => {
  const helper = scripted("helper", [call("read", { file_path: "one/new.txt" }), write("one/b.txt"), done("wrote b")]);
  const { result, events, repository } = await run([write("one/new.txt"), start("helper"), bash("cat one/b.txt")], {
    agents: [helper],
    allow: ["Agent(helper)", "Bash"],
  });
  expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 2, summary: "led" }] });
  expect(shown(repository, result)("one/b.txt")).toBe("new\n");
  const [started] = told(events);
  expect(started).toMatchObject({ is_error: false, receipt: { state: "succeeded", files_changed: 1 } });
  expect(started?.content).toBe("The agent helper ended: succeeded. 1 file changed.\nIt says: wrote b");
  expect(events.filter(({ type }) => type === "task.started")).toHaveLength(1);
  const rows = await rowsOf(
    bench.equipment.database.orm,
    sql`select id, parent_id, state from sheaf.runs where job_id = ${result.job.id} and kind = 'agent'`,
    parents,
  );
  const child = rows.find(({ id }) => id === started?.receipt?.run_id);
  const lead = rows.find(({ id }) => id !== child?.id);
  expect(child).toMatchObject({ parent_id: lead?.id, state: "succeeded" });
  expect(lead?.parent_id).toBe(result.job.id);
  const spans = await rowsOf(
    bench.equipment.database.orm,
    sql`select child.name as id, parent.name as parent_id, '' as state from sheaf.spans child
        join sheaf.spans parent on parent.span_id = child.parent_span_id
        where child.job_id = ${result.job.id} and child.name like 'invoke_agent helper'`,
    parents,
  );
  expect(spans).toEqual([{ id: "invoke_agent helper", parent_id: "execute_tool agent", state: "" }]);
});

it("it may do no more than may be given to it, nor than its definition and its caller leave it", async () => {
  const narrow = scripted("narrow", [write("one/a.txt"), write("one/b.txt"), write("two/c.txt"), done("tried")], {
    deny: [parseRule("Edit(one/a.txt)")],
  });
  const { result, repository } = await run([start("narrow", { writes: ["one/b.txt", "two/**"] })], {
    agents: [narrow],
  });
  expect(result.denials.map(({ input, rule }) => [input, rule])).toEqual([
    ["one/a.txt", "Edit(one/a.txt)"],
    ["two/c.txt", "no rule"],
  ]);
  expect(result.outcome).toBe("succeeded");
  expect(shown(repository, result)("one/b.txt")).toBe("new\n");
  const free = scripted("free", [write("one/a.txt"), write("one/b.txt"), bash("touch one/a.txt"), done("tried")]);
  const held = await run([start("free", { writes: ["one/b.txt"] })], { agents: [free], allow: ["Agent", "Bash"] });
  expect(held.result.denials.map(({ input }) => input)).toEqual(["one/a.txt"]);
});

it("what is granted may be given away and not be used by who gives it", async () => {
  const helper = scripted("helper", [write("two/c.txt"), done("wrote c")]);
  const wanted = { agents: [helper], grant: ["Edit(two/**)"] };
  const { result, repository } = await run([write("two/c.txt"), start("helper")], wanted);
  expect(result.denials.map(({ input }) => input)).toEqual(["two/c.txt"]);
  expect(result.outcome).toBe("succeeded");
  expect(shown(repository, result)("two/c.txt")).toBe("new\n");
});

it("without depth nobody starts anybody, with it one level, and no more than the limit", async () => {
  const helper = scripted("helper", [start("helper"), done("helped")]);
  const flat = { agents: [helper], limits: { time_ms: 60_000, idle_ms: 30_000, depth: 1 } };
  expect((await run([start("helper")], flat)).result.denials).toMatchObject([{ tool: "agent", rule: "not offered" }]);
  const two = { agents: [helper], limits: { time_ms: 60_000, idle_ms: 30_000, depth: 2, agents: 1 } };
  const { result, events } = await run([start("helper"), start("helper"), start("nobody")], two);
  expect(result.denials).toMatchObject([{ tool: "agent", rule: "not offered" }]);
  expect(told(events).map(({ is_error }) => is_error)).toEqual([false, true, true]);
  expect(told(events)[1]?.content).toContain("all 1 agents");
  expect(told(events)[2]?.content).toContain("there is no agent nobody");
});

it("only agents that a rule names are there, and a denied one is a denial of the task", async () => {
  const helper = scripted("helper", [done("helped")]);
  const { result } = await run([start("other")], { agents: [helper, scripted("other", [])], allow: ["Agent(helper)"] });
  expect(result.denials).toMatchObject([{ tool: "agent", rule: "no rule" }]);
  const none = await run([start("helper")], { agents: [helper], allow: ["Bash"] });
  expect(none.result.denials).toMatchObject([{ tool: "agent", rule: "not offered" }]);
});

it("one that is given fewer files to read than the checkout holds runs no commands there", async () => {
  const blind = scripted("blind", [bash("cat two/c.txt"), done("saw")], { deny: [parseRule("Read(two/**)")] });
  const { result } = await run([bash("true"), start("blind")], { agents: [blind], allow: ["Agent", "Bash"] });
  expect(result.denials).toMatchObject([{ tool: "bash", rule: "not offered" }]);
});

it("what a person let a started agent write is part of its task's work", async () => {
  const helper = scripted("helper", [write("two/c.txt"), done("wrote c")]);
  const { permissions, ...wanted } = jobOf([start("helper")], { agents: [helper] });
  const { repository, spec } = await bench.repository(files);
  const asks = { ...wanted, permissions: { ...permissions, mode: "ask" as const } };
  const submitted = await bench.coordinator.submit({
    spec: { ...spec, ...asks },
    repository,
    onFact: (_, fact) => {
      if (fact.type !== "approval.requested") return;
      const { approval_id: id } = fact.data;
      setImmediate(() => void bench.coordinator.decideApproval(id, { decision: "allow" }, "tester"));
    },
  });
  const result = await submitted.done;
  expect(result).toMatchObject({ outcome: "succeeded", denials: [] });
  expect(shown(repository, result)("two/c.txt")).toBe("new\n");
});

it("a cancelled job ends an agent with the one that started it", async () => {
  const slow = scripted("slow", [bash("sleep 1000"), done("slept")]);
  const { repository, spec } = await bench.repository(files);
  const wanted = jobOf([start("slow")], { agents: [slow], allow: ["Agent", "Bash"] });
  const submitted = await submit({ spec: { ...spec, ...wanted }, repository }, bench.equipment);
  if (!("started" in submitted)) throw new Error("the job is not a new one");
  const { id, done: over, cancel } = submitted.started;
  const isUnderWay = async () =>
    (await eventsOf(bench, id)).some(
      ({ type, ...fact }) => type === "tool.intended" && JSON.stringify(fact).includes("bash"),
    );
  while (!(await isUnderWay())) await new Promise((resolve) => setTimeout(resolve, 20));
  cancel();
  expect((await over).outcome).toBe("cancelled");
  const rows = await rowsOf(
    bench.equipment.database.orm,
    sql`select id, parent_id, state from sheaf.runs where job_id = ${id} and kind = 'agent'`,
    parents,
  );
  expect(rows.map(({ state }) => state)).toEqual(["cancelled", "cancelled"]);
});
