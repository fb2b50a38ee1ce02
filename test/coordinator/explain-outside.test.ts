import { expect, it } from "vitest";
import { type ExplainGround, explain } from "../../src/coordinator/explain.ts";
import { parseRule } from "../../src/permission/rule.ts";
import type { AgentSpec } from "../../src/protocol/agent.ts";
import { taskId } from "../../src/protocol/ids.ts";
import type { JobSpec } from "../../src/protocol/job.ts";

const agent = (name: string, more: Partial<AgentSpec> = {}): AgentSpec => ({
  ...{ name, instructions: "", model: { provider: "scripted", file: "x.yaml", turns: [] } },
  ...more,
});

function groundOf({ tools, ...spec }: Partial<JobSpec> & { tools?: string[] }): ExplainGround {
  const step = { kind: "agent" as const, prompt: "", agent: agent("lead", tools ? { tools } : {}) };
  const permissions = { allow: ["Agent", "mcp__notes", "mcp__gone"].map(parseRule), deny: [] };
  return {
    spec: {
      limits: {},
      permissions,
      servers: [{ kind: "command", name: "notes", run: ["x"] }],
      ...spec,
    } as unknown as JobSpec,
    tasks: [{ id: taskId.parse("one"), writes: [], steps: [step] }],
    ceiling: { permissions: { ask: [], deny: [] } },
    isCaseInsensitive: false,
  };
}

it.for<[string, Parameters<typeof groundOf>[0], string, RegExp]>([
  ["mcp__notes__search", {}, "allow", /mcp__notes covers it/],
  ["mcp__notes__search", { tools: ["read", "mcp__notes__search"] }, "allow", /covers it/],
  ["mcp__notes__search", { tools: ["read", "mcp__notes__other"] }, "deny", /not given mcp__notes__search/],
  ["mcp__gone__search", {}, "deny", /no server gone; its servers are notes/],
  ["Agent(helper)", { agents: [agent("helper")] }, "deny", /limits\.depth is 1/],
  [
    "Agent(helper)",
    { agents: [agent("helper")], limits: { time_ms: 1, idle_ms: 1, depth: 2 } },
    "allow",
    /Agent covers it/,
  ],
  [
    "Agent(other)",
    { agents: [agent("helper")], limits: { time_ms: 1, idle_ms: 1, depth: 2 } },
    "deny",
    /its agents are helper/,
  ],
])("%s is explained as a run takes it", async ([call, spec, effect, reason]) => {
  const [explanation] = await explain({ call }, groundOf(spec));
  expect(explanation?.effect).toBe(effect);
  expect(explanation?.reason).toMatch(reason);
});
