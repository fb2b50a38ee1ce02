import { decideCall } from "../../permission/call.ts";
import { couldAllowServer } from "../../permission/offered-tools.ts";
import type { AgentSpec } from "../../protocol/agent.ts";
import type { Failure } from "../../protocol/failure.ts";
import type { Scope } from "../../protocol/scope.ts";
import type { ToolSchema } from "../../protocol/thread.ts";
import type { PinnedTool } from "../../tool-servers/pin-tools.ts";
import type { Listed } from "../../tool-servers/tool-server.ts";
import { agent as agentTool } from "../../tools/agent.ts";
import type { Around } from "../commands/setup.ts";
import type { StepOrder } from "../tasks/step-order.ts";
import { toolServerOf } from "./tool-servers.ts";

/**
 * The tools of one run that only its order can describe: those of servers that its rules let it call, and the agents that
 * it may start. What no rule could allow is not offered, and a server that nobody may ask is not begun.
 */
export interface OutsideTools {
  tools: readonly ToolSchema[];
  /** Of servers, as they were when the job took them. */
  pinned: readonly { name: string; sha256: string }[];
}

const mostTools = 128;
const mostCharacters = 400_000;

/** The order with its tools; or why its agent cannot have those that it was promised. */
export async function withOutsideTools(
  order: StepOrder,
  around: Asking,
): Promise<{ order: StepOrder; failure?: Failure }> {
  const { scope, step } = order;
  const kept = scope.tools.filter((name) => name !== agentTool.name);
  const without = { ...order, scope: { ...scope, tools: kept } };
  if (step.agent.model.provider === "recipe") return { order: without };
  const agents = scope.tools.includes(agentTool.name) ? startableBy(order, around) : [];
  const offered = await serverTools(order, around);
  if ("failure" in offered) return { order: without, failure: offered.failure };
  const tools = [...(agents.length > 0 ? [describeAgents(agents)] : []), ...offered.tools];
  if (tools.length === 0) return { order: without };
  const names = [...kept, ...tools.map(({ name }) => name)];
  return { order: { ...order, scope: { ...scope, tools: names }, outside: { tools, pinned: offered.pinned } } };
}

/** Agents that this run may start; none from within one that was started as deep as agents may be. */
export function startableBy({ scope, depth = 1 }: StepOrder, { job }: Around): AgentSpec[] {
  const { agents = [], limits } = job.spec;
  if (depth >= (limits.depth ?? 1)) return [];
  const { isCaseInsensitive } = job.repository;
  return agents.filter(({ name, model }) => {
    const decision = decideCall(scope, { tool: "Agent", name }, { isCaseInsensitive });
    return model.provider !== "recipe" && decision.effect !== "deny";
  });
}

function describeAgents(agents: readonly AgentSpec[]): ToolSchema {
  const { name, description, inputSchema } = agentTool;
  const listed = agents.map((agent) => `- ${agent.name}: ${(agent.description ?? "no description").slice(0, 1_024)}`);
  return { name, description: `${description} The agents:\n${listed.join("\n")}`, input_schema: inputSchema };
}

type Offered = OutsideTools | { failure: Failure };

/** `signal`: of the run that starts this one. */
type Asking = Around & { signal?: AbortSignal };

async function serverTools(order: StepOrder, around: Asking): Promise<Offered> {
  const offered: ReturnType<typeof offeredOf> = [];
  const servers = around.job.spec.servers ?? [];
  const isPossible = (server: string) =>
    couldAllowServer(order.scope, server) && isGivenOf(server, order.step.agent.tools);
  for (const { name: server } of servers.filter(({ name }) => isPossible(name))) {
    const listed = await listedBy(server, around);
    if ("problem" in listed) return { failure: unusable(server, listed.problem, around) };
    offered.push(...offeredOf(server, listed.tools, order));
  }
  const tools = offered.map(({ schema }) => schema);
  const isTooMuch = tools.length > mostTools || JSON.stringify(tools).length > mostCharacters;
  if (isTooMuch) return { failure: tooMany(tools.length) };
  return { tools, pinned: offered.map(({ name, sha256 }) => ({ name, sha256 })) };
}

/** Whoever would ask it may be over before it has begun. */
async function listedBy(name: string, around: Asking): Promise<Listed> {
  const server = await toolServerOf(name, around);
  if (!server) return { problem: "the job has none of that name" };
  const signal = AbortSignal.any([around.job.signal, ...(around.signal ? [around.signal] : [])]);
  try {
    return await server.tools(signal);
  } catch (thrown) {
    if (signal.aborted) return { problem: "the run was over before it had begun" };
    throw thrown;
  }
}

function offeredOf(server: string, listed: readonly PinnedTool[], { scope, step }: StepOrder) {
  return listed.flatMap((tool) => {
    const name = `mcp__${server}__${tool.name}`;
    if (!isGivenOf(server, step.agent.tools, tool.name) || !mayCall(scope, server, tool.name)) return [];
    const schema = { name, description: tool.description, input_schema: { ...tool.inputSchema } };
    return [{ name, schema, sha256: tool.sha256 }];
  });
}

function mayCall(scope: Scope, server: string, name: string): boolean {
  return decideCall(scope, { tool: "Mcp", server, name }, { isCaseInsensitive: false }).effect !== "deny";
}

/** An agent with a list of tools is given those of servers that are on it; without a name, whether any could be. */
export function isGivenOf(server: string, tools: readonly string[] | undefined, name?: string): boolean {
  const whole = `mcp__${server}`;
  if (tools === undefined || tools.includes(whole) || tools.includes(`${whole}__*`)) return true;
  return name === undefined ? tools.some((each) => each.startsWith(`${whole}__`)) : tools.includes(`${whole}__${name}`);
}

function unusable(server: string, problem: string, { equipment }: Around): Failure {
  return {
    code: "tool_server",
    message: equipment.redact(`the server ${server} cannot be used: ${problem}`),
    remedy: `mend it, or take servers.${server} and its rules out of the job`,
  };
}

function tooMany(count: number): Failure {
  return {
    code: "tool_server",
    message: `the servers' tools are too many for one agent: ${count}, and their schemas; at most ${mostTools}`,
    remedy: "allow single tools in permissions.allow, such as mcp__SERVER__TOOL",
  };
}
