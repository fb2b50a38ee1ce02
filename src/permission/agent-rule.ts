import type { AgentRule } from "../protocol/scope.ts";
import { isPlainName } from "../protocol/written-text.ts";
import { refuseRule } from "./rule-refusal.ts";

/** `Agent` or `Agent(name)`: whom an agent may start. Throws Fault `rule`. */
export function parseAgentRule(id: string, specifier: string | undefined): AgentRule {
  if (specifier === undefined) return { id, tool: "Agent" };
  const name = specifier.trim();
  if (isPlainName(name)) return { id, tool: "Agent", name };
  if (/[,|]/.test(name)) throw refuseRule(id, "a rule names one agent", "write a rule for each: Agent(fixer)");
  if (/[*?]/.test(name)) throw refuseRule(id, "an agent's name has no wildcards", "write Agent alone to mean all");
  throw refuseRule(id, `${JSON.stringify(name.slice(0, 80))} is no name of an agent`, "write it as Agent(fixer)");
}

export function agentCovers(name: string, rule: Pick<AgentRule, "name">): boolean {
  return rule.name === undefined || rule.name === name;
}
