import { afterAll, beforeAll, expect, it } from "vitest";
import { parseRule } from "../../src/permission/rule.ts";
import type { AgentSpec, ModelSpec, ScriptedTurn } from "../../src/protocol/agent.ts";
import type { NamedTask } from "../../src/protocol/job.ts";
import { runJobOn } from "../support/bench-job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const files = { "one/a.txt": "a\n", "two/c.txt": "c\n" };
const call = (tool: string, input: unknown): ScriptedTurn => ({ calls: [{ tool, input }] });
const bash = (command: string) => call("bash", { command });
const done = call("submit", { summary: "done" });
const script = (turns: ScriptedTurn[]): ModelSpec => ({ provider: "scripted", file: "x.yaml", turns });
const agentOf = (name: string, model: ModelSpec): AgentSpec => ({ name, instructions: "", model });

function run(lead: ModelSpec, helper: ModelSpec = script([done])) {
  const task: NamedTask = {
    ...{ id: "one", writes: [{ directories: ["one"] }] },
    steps: [{ kind: "agent", agent: agentOf("lead", lead), prompt: "lead" }],
  };
  return runJobOn(bench, files, {
    ...{ agents: [agentOf("helper", helper)], tasks: [task] },
    permissions: { allow: ["Bash", "Agent"].map(parseRule), deny: [] },
    limits: { time_ms: 60_000, idle_ms: 30_000, depth: 2 },
  });
}

it("a run that ran commands is answered from its recording, also where some of what they changed was put back", async () => {
  const turns = [bash("cat one/a.txt"), bash("echo b > one/a.txt; echo d > two/c.txt"), bash("exit 3"), done];
  const { result: recorded } = await run(script(turns));
  const { result } = await run({ provider: "replay", of: recorded.job.handle });
  expect(recorded.result_tree).toBeDefined();
  expect(result).toMatchObject({ outcome: recorded.outcome, result_tree: recorded.result_tree });
});

it("an agent that was started twice with the same words is answered in the order of the recording", async () => {
  const start = call("agent", { name: "helper", prompt: "go on" });
  const more = [bash('n=$(wc -l < one/a.txt); test "$n" = 1; echo "$? $n"; echo more >> one/a.txt'), done];
  const { result: recorded } = await run(script([start, start, done]), script(more));
  const replay: ModelSpec = { provider: "replay", of: recorded.job.handle };
  const { result } = await run(replay, replay);
  expect(recorded.outcome).toBe("succeeded");
  expect(result).toMatchObject({ outcome: "succeeded", result_tree: recorded.result_tree });
});
