import type { AgentSpec } from "../protocol/agent.ts";
import type { PathPattern, Rule, Scope } from "../protocol/scope.ts";
import { childScope, narrow } from "./child-scope.ts";
import { offeredTools } from "./offered-tools.ts";
import { agentLayer } from "./task-scope.ts";

/** What an agent that another one starts is given to ask for. */
export interface StartedAgent {
  agent: Pick<AgentSpec, "name" | "allow" | "deny">;
  /** What whoever starts it lets it edit at most; absent: all that may be given. */
  writes?: readonly PathPattern[] | undefined;
  servers: readonly string[];
  /** The tools there are for it. */
  tools: readonly string[];
}

/**
 * The scope of an agent that another one starts: of what its caller may grant, what its caller lets it edit, and what its
 * own definition leaves of that. It starts no agents itself.
 */
export function startedScope(caller: Scope, { agent, writes, servers, tools }: StartedAgent): Scope {
  const edits = (writes ?? [whole]).map((paths): Rule => ({ id: `Edit(${shown(paths)})`, tool: "Edit", paths }));
  const reads: Rule = { id: "Read", tool: "Read", paths: whole };
  const asked: Rule[] = [reads, ...edits, { id: "Bash", tool: "Bash" }, { id: "WebFetch", tool: "WebFetch" }];
  const ofServers = servers.map((server): Rule => ({ id: `mcp__${server}`, tool: "Mcp", server }));
  const given = childScope(caller, { source: "caller", allow: [...asked, ...ofServers], tools: [] });
  const scope = narrow(given, agentLayer(agent, []));
  return { ...scope, tools: offeredTools(scope, tools) };
}

const whole: PathPattern = { directories: [""] };

function shown(paths: PathPattern): string {
  return "glob" in paths ? paths.glob : "**";
}
