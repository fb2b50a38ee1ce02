import type { Call } from "../../permission/call.ts";
import { ruleToolOf } from "../../permission/offered-tools.ts";
import type { Explanation } from "../../protocol/explanation.ts";
import type { JobSpec } from "../../protocol/job.ts";
import type { Scope } from "../../protocol/scope.ts";
import { toolNames } from "../../tools/catalog.ts";
import { isGivenOf } from "../calls/outside-tools.ts";

/** What rules allow is of no use to an agent that was not given a tool for it: a run turns such a call away. */
export function withTools(explanation: Explanation, call: Call, { scope, spec, tools }: Given): Explanation {
  if (explanation.effect === "deny") return explanation;
  const missing = missingFor(call, { scope, spec, tools });
  if (missing === undefined) return explanation;
  if (missing.isPart) return { ...explanation, reason: `${explanation.reason}; ${missing.reason}` };
  const { suggestion: _, ...rest } = explanation;
  return { ...rest, effect: "deny", rule: "not offered", source: "sheaf", reason: missing.reason };
}

interface Given {
  scope: Scope;
  spec: Pick<JobSpec, "agents" | "servers" | "limits">;
  /** Of the agent's own definition; absent: all. */
  tools: readonly string[] | undefined;
}

interface Missing {
  reason: string;
  /** Some tool for it is there. */
  isPart?: boolean;
}

function missingFor(call: Call, given: Given): Missing | undefined {
  if (call.tool === "Mcp") return missingServer(call, given);
  return missingTool(call, given.scope) ?? (call.tool === "Agent" ? missingAgent(call, given) : undefined);
}

function missingTool(call: Call, scope: Scope): Missing | undefined {
  const fitting = toolsFor(call);
  const missing = fitting.filter((name) => !scope.tools.includes(name));
  if (missing.length === 0) return undefined;
  const without = `the agent is not given ${missing.join(", ")}`;
  if (missing.length < fitting.length) return { reason: without, isPart: true };
  return { reason: `${without}: its tools are ${scope.tools.join(", ")}` };
}

function missingServer({ server, name }: Extract<Call, { tool: "Mcp" }>, { spec, tools }: Given): Missing | undefined {
  const names = (spec.servers ?? []).map((each) => each.name);
  if (!names.includes(server)) return { reason: `the job has no server ${server}; ${listed("servers", names)}` };
  if (isGivenOf(server, tools, name)) return undefined;
  return { reason: `the agent is not given mcp__${server}__${name}: its definition lists its tools` };
}

function missingAgent({ name }: Extract<Call, { tool: "Agent" }>, { spec }: Given): Missing | undefined {
  if ((spec.limits.depth ?? 1) < 2) return { reason: "agents start no agents in this job: limits.depth is 1" };
  const names = (spec.agents ?? []).filter(({ model }) => model.provider !== "recipe").map((agent) => agent.name);
  return names.includes(name)
    ? undefined
    : { reason: `there is no agent ${name} to start; ${listed("agents", names)}` };
}

function listed(what: string, names: readonly string[]): string {
  return names.length === 0 ? `it has no ${what}` : `its ${what} are ${names.slice(0, 20).join(", ")}`;
}

/** A folder is listed and a file is read; none for what no tool of ours does. */
function toolsFor(call: Call): string[] {
  const all = toolNames.filter((name) => ruleToolOf(name) === call.tool);
  if (call.tool !== "Read") return all;
  return all.filter((name) => (name === "read") !== call.isDirectory);
}
