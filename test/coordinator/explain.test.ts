import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentFilesAt } from "../../src/coordinator/brief/agent-files-at.ts";
import { explain } from "../../src/coordinator/explain.ts";
import { readRule } from "../../src/permission/written-rule.ts";
import type { Explanation } from "../../src/protocol/explanation.ts";
import { Fault } from "../../src/protocol/failure.ts";
import { jobId, taskId } from "../../src/protocol/ids.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import type { AgentStep } from "../../src/protocol/step.ts";
import { connect } from "../../src/remote/connection.ts";
import { remoteCoordinator } from "../../src/remote/remote-coordinator.ts";
import { resolveBase } from "../../src/workspace/base.ts";
import { openServed, type Served } from "../http/served.ts";
import { runJobOn } from "../support/bench-job.ts";

let served: Served;
beforeAll(async () => {
  served = await openServed();
});
afterAll(() => served[Symbol.asyncDispose]());

const asked: readonly (readonly [call: string, tool: string, input: Record<string, unknown>])[] = [
  ["Edit(one/a.ts)", "write", { file_path: "one/a.ts", content: "x" }],
  ["Edit(one/gen/a.ts)", "write", { file_path: "one/gen/a.ts", content: "x" }],
  ["Edit(two/a.ts)", "write", { file_path: "two/a.ts", content: "x" }],
  ["Edit(.npmrc)", "write", { file_path: ".npmrc", content: "x" }],
  ["Edit(one/.claude/x)", "write", { file_path: "one/.claude/x", content: "x" }],
  ["Edit(shared/a.ts)", "write", { file_path: "shared/a.ts", content: "x" }],
  ["Edit(one/asked.ts)", "write", { file_path: "one/asked.ts", content: "x" }],
  ["Bash(true)", "bash", { command: "true" }],
  ["Bash(true && false)", "bash", { command: "true && false" }],
  ["Bash(sh -c 'false')", "bash", { command: "sh -c 'false'" }],
  ["Bash(ls)", "bash", { command: "ls" }],
];

const rules = (list: "allow" | "ask" | "deny", ...texts: string[]) => texts.map((text) => readRule(text, list));
const stepOf = (name: string, calls: { tool: string; input: unknown }[]): AgentStep => ({
  kind: "agent",
  prompt: "",
  agent: {
    name,
    instructions: "",
    model: { provider: "scripted", file: "x.yaml", turns: [{ calls }] },
    deny: rules("deny", "Bash(false:*)"),
  },
});
const job: Partial<JobSpec> = {
  permissions: {
    allow: rules("allow", "Bash(true:*)", "Bash(ls:*)", "Edit(shared/**)"),
    ask: rules("ask", "Edit(asked.ts)"),
    deny: rules("deny", "Edit(gen/)"),
    mode: "deny",
  },
  tasks: [
    {
      id: "one",
      writes: [{ directories: ["one"] }],
      steps: [
        stepOf(
          "worker",
          asked.map(([, tool, input]) => ({ tool, input })),
        ),
      ],
    },
    { id: "two", writes: [{ directories: ["two"] }], steps: [stepOf("worker", [])] },
  ],
};

describe("an explanation", () => {
  it("says what a run of the same job does with each call, in this process and over HTTP", async () => {
    const { events, result } = await runJobOn(served.bench, { "one/a.ts": "a\n", "two/a.ts": "b\n" }, job);
    const ran = asked.map(([call], index) => {
      const of = (type: string) =>
        events.filter((event) => event.type === type && "tool" in event.data && "call_id" in event.data);
      const id = callIdsIn(events)[index];
      const denied = of("tool.denied").find((event) => "call_id" in event.data && event.data.call_id === id);
      if (denied?.type === "tool.denied")
        return { call, effect: "deny", rule: denied.data.rule, source: denied.data.source };
      const intended = of("tool.intended").find((event) => "call_id" in event.data && event.data.call_id === id);
      return { call, effect: "allow", rule: intended?.type === "tool.intended" ? intended.data.rule : "none" };
    });
    const id = jobId.parse(result.job.id);
    for (const each of ran) {
      const question = { call: each.call, task: "one", agent: "worker" };
      const [explained, ...others] = await served.coordinator.explain(id, question);
      expect(others).toEqual([]);
      expect(explained).toMatchObject({ ...each, task: "one", agent: "worker" });
      const remote = await overHttp(id, question);
      expect(remote).toEqual([explained]);
    }
    expect(ran.map(({ effect }) => effect)).toEqual([
      ...["allow", "deny", "deny", "deny", "deny", "allow"],
      ...["deny", "allow", "deny", "deny", "allow"],
    ]);
    const agreed = await served.coordinator.explain(id, { call: "Bash(ls)" });
    expect(agreed).toHaveLength(1);
    expect(agreed[0]).not.toHaveProperty("task");
    expect(agreed[0]).toMatchObject({ effect: "allow", agent: "worker" });
    const table = await served.coordinator.explain(id, { call: "Edit(two/x)" });
    expect(table.map(({ task, effect, suggestion }) => ({ task, effect, suggestion }))).toEqual([
      { task: "one", effect: "deny", suggestion: "Edit(/two/x)" },
      { task: "two", effect: "allow", suggestion: undefined },
    ]);
    expect(table[0]?.layers).toEqual([
      { source: "task", effect: "deny" },
      { source: "job", effect: "silent" },
      { source: "agent worker", effect: "silent" },
    ]);
    await refusals(id);
  });
});

describe("an explanation for many tasks", () => {
  async function groundOf(count: number) {
    const { spec, repository } = await served.bench.repository({ "a.ts": "a\n" });
    const permissions = { allow: rules("allow", "Bash(echo:*)"), deny: [], mode: "ask" as const };
    const tasks = Array.from({ length: count }, (_, nth) => ({
      id: taskId.parse(`t${nth}`),
      writes: [{ directories: [`d${nth % 3}`] }],
      steps: [stepOf(nth % 2 ? "odd" : "even", [])],
    }));
    const { ceiling } = served.bench.equipment;
    return {
      spec: { ...spec, permissions },
      tasks,
      ceiling,
      isCaseInsensitive: repository.isCaseInsensitive,
    };
  }

  it("is for each what it is for that one alone", async () => {
    const ground = await groundOf(6);
    const calls = ["Bash(echo a)", "Bash(echo a > d1/x)", "Bash(echo a > d1/x; ls)", "Bash(false)", "Edit(d2/x)"];
    for (const call of [...calls, "Read(a.ts)", "WebFetch(domain:a.example)"]) {
      const all = await explain({ call }, ground);
      const alone = await Promise.all(ground.tasks.map(({ id }) => explain({ call, task: id }, ground)));
      if (all.length > 1) expect(all).toEqual(alone.flat());
      else for (const each of alone.flat()) expect(each).toMatchObject(all[0] ?? {});
    }
  });

  it("lets others on meanwhile, and is refused where it grows too long", async () => {
    const ground = await groundOf(6_000);
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    expect(await explain({ call: "Bash(echo a)", agent: "odd" }, ground)).toHaveLength(1);
    isOver = true;
    expect(turns).toBeGreaterThan(1);
    const long = `Edit(d1/${"x/".repeat(2_000)}y)`;
    await expect(explain({ call: long }, { ...ground, tasks: ground.tasks.slice(0, 300) })).rejects.toThrow("too much");
  });

  it("names the tools that an agent was not given", async () => {
    const ground = await groundOf(1);
    const [task] = ground.tasks;
    if (!task) throw new Error("no task");
    const explained = async (call: string, ...tools: string[]) => {
      const steps = task.steps.map((step) => ({ ...step, agent: { ...step.agent, tools } }));
      const [one] = await explain({ call }, { ...ground, tasks: [{ ...task, steps }] });
      return `${one?.effect} ${one?.rule}: ${one?.reason}`;
    };
    expect(await explained("Read(a)", "glob", "list")).toBe(
      "deny not offered: the agent is not given read: its tools are glob, list",
    );
    expect(await explained("Read(a/)", "glob", "list")).toMatch(/^allow/);
    expect(await explained("Edit(d0/a)", "edit")).toMatch(
      /^allow .*; the agent is not given write, delete, apply_edits, ast_rewrite$/,
    );
    expect(await explained("Bash(echo a)", "edit")).toMatch(/^deny not offered: the agent is not given bash/);
  });

  it("says that nobody is asked about what cannot be shown in full", async () => {
    const ground = await groundOf(1);
    const [hidden] = await explain({ call: "Bash(true ghp_0123456789abcdef0123456789)" }, ground);
    expect(hidden).toMatchObject({ effect: "deny", reason: expect.stringContaining("looks like a secret") });
  });
});

describe("an agent file of a job", () => {
  it("is the one of the commit, whatever lies in the working files, and never what a link leads to", async () => {
    const { repository, spec } = await served.bench.repository({ "agents/a.md": "committed" });
    const { top } = repository.user;
    await writeFile(join(top, "agents/a.md"), "changed");
    await writeFile(join(top, "agents/b.md"), "new");
    const { read } = agentFilesAt(repository, spec.base.tree);
    expect(await read("agents/a.md")).toBe("committed");
    expect(await read("agents/b.md")).toBeUndefined();
    expect(await read("agents")).toBeUndefined();
    await symlink("/etc/passwd", join(top, "agents/link.md"));
    const { base } = await resolveBase(repository, "HEAD", { includeDirty: true });
    const { read: dirty } = agentFilesAt(repository, base.tree);
    expect([await dirty("agents/b.md"), await dirty("agents/link.md")]).toEqual(["new", undefined]);
  });
});

async function refusals(id: ReturnType<typeof jobId.parse>): Promise<void> {
  const failing: [question: { call: string; task?: string; agent?: string }, message: string][] = [
    [{ call: "Edit" }, "is no call that rules speak of"],
    [{ call: "Edit(../x)" }, "is no call that rules speak of"],
    [{ call: "Read(/etc/passwd)" }, "names a path of the machine"],
    [{ call: "Edit(one/a.ts)", task: "three" }, 'there is no task "three"'],
    [{ call: "Edit(one/a.ts)", agent: "nobody" }, 'there is no agent "nobody"'],
  ];
  for (const [question, message] of failing) {
    await expect(served.coordinator.explain(id, question)).rejects.toThrow(message);
    await expect(overHttp(id, question)).rejects.toThrow(message);
  }
  const unasked = await served.ask(`/v1/jobs/${id}/explain`);
  expect(unasked.status).toBe(400);
  await unasked.body?.cancel();
}

/** In the order in which they were made. */
function callIdsIn(events: Awaited<ReturnType<typeof runJobOn>>["events"]): string[] {
  return events.flatMap((event) =>
    event.type === "turn.finished"
      ? event.data.answer.flatMap((block) => (block.type === "tool_use" ? [block.id] : []))
      : [],
  );
}

async function overHttp(
  id: ReturnType<typeof jobId.parse>,
  question: { call: string; task?: string; agent?: string },
): Promise<Explanation[]> {
  const connection = connect({ url: served.url, token: served.secret });
  try {
    return await remoteCoordinator(connection).explain(id, question);
  } catch (thrown) {
    if (thrown instanceof Fault) throw new Error(thrown.message, { cause: thrown });
    throw thrown;
  } finally {
    connection.close();
  }
}
