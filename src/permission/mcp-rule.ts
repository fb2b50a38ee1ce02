import type { McpRule } from "../protocol/scope.ts";
import { refuseRule } from "./rule-refusal.ts";

/**
 * `mcp__server__tool`, or `mcp__server` for all tools of a server. Every server is named: a rule for whatever server
 * comes along is refused. Throws Fault `rule`.
 */
export function parseMcpRule(id: string, name: string, specifier: string | undefined): McpRule {
  if (specifier !== undefined) {
    throw refuseRule(id, "what a server's tool is given cannot be held by a rule", `write ${name}`);
  }
  const { server, tool } = mcpParts(name);
  if (server === "" || server.includes("*")) {
    throw refuseRule(id, "it names no server", "write mcp__SERVER or mcp__SERVER__TOOL");
  }
  if (tool === undefined || tool === "*") return { id, tool: "Mcp", server };
  if (tool === "" || tool.includes("*")) {
    throw refuseRule(id, "it names no tool of the server", `write mcp__${server} to mean all of its tools`);
  }
  return { id, tool: "Mcp", server, name: tool };
}

/** The server ends at the first `__`; without one, the whole is the server. */
export function mcpParts(name: string): { server: string; tool?: string } {
  const rest = name.slice("mcp__".length);
  const at = rest.indexOf("__");
  return at < 0 ? { server: rest.replace(/^_+$/, "") } : { server: rest.slice(0, at), tool: rest.slice(at + 2) };
}

export function mcpCovers(call: { server: string; tool: string }, rule: Pick<McpRule, "server" | "name">): boolean {
  return rule.server === call.server && (rule.name === undefined || rule.name === call.tool);
}
