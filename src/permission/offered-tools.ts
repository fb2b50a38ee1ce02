import type { RuleTool, Scope, ScopeLayer } from "../protocol/scope.ts";
import { mayHoldAllowed } from "./decide.ts";
import { isStopped, limits, rulesOf } from "./weigh.ts";

/**
 * Of these tools, those that a call in this scope could ever be allowed for, be it by asking. A tool that could only
 * be denied is not offered: a model would try it. It may offer too many, never too few.
 */
export function offeredTools(scope: Scope, names: readonly string[]): string[] {
  return names.filter((name) => {
    const tool = ruleToolOf(name);
    return tool === undefined || couldAllow(scope, tool);
  });
}

/** Whether some call of that tool could be allowed, or asked about. */
function couldAllow(scope: Scope, tool: RuleTool): boolean {
  if (tool === "Read" || tool === "Edit") return mayHoldAllowed(scope, tool, "", { isCaseInsensitive: false });
  if (isStopped(scope, tool)) return false;
  return scope.layers.length > 0 && scope.layers.every((layer, index) => isOpen(layer, index, { scope, tool }));
}

/** Whether some tool of that server could be allowed, or asked about. It may say yes too often, never no. */
export function couldAllowServer(scope: Scope, server: string): boolean {
  if (scope.layers.length === 0 || isStopped(scope, "Mcp")) return false;
  return scope.layers.every((layer, index) => {
    const speaks = (list: "allow" | "ask" | "deny") =>
      rulesOf(layer, list, "Mcp").filter((rule) => rule.server === server);
    if (speaks("deny").some(({ name }) => name === undefined)) return false;
    if (index === 0 ? scope.mode === "ask" : !limits(layer, "Mcp")) return true;
    return speaks("allow").length > 0 || speaks("ask").length > 0;
  });
}

function isOpen(layer: ScopeLayer, index: number, { scope, tool }: { scope: Scope; tool: RuleTool }): boolean {
  if (rulesOf(layer, "deny", tool).some(isBare)) return false;
  if (index === 0 ? scope.mode === "ask" : !limits(layer, tool)) return true;
  return rulesOf(layer, "allow", tool).length > 0 || rulesOf(layer, "ask", tool).length > 0;
}

/** A rule of every call of its tool. */
function isBare(rule: object): boolean {
  return ["words", "domain", "name", "server", "paths"].every((key) => !(key in rule));
}

/** The rules that a tool of the model's is about; undefined for one that touches nothing. */
export function ruleToolOf(name: string): RuleTool | undefined {
  if (name.startsWith("mcp__")) return "Mcp";
  return Object.hasOwn(toolRules, name) ? toolRules[name] : undefined;
}

const toolRules: Readonly<Record<string, RuleTool>> = {
  read: "Read",
  list: "Read",
  glob: "Read",
  grep: "Read",
  write: "Edit",
  edit: "Edit",
  delete: "Edit",
  apply_edits: "Edit",
  ast_rewrite: "Edit",
  bash: "Bash",
  web_fetch: "WebFetch",
  agent: "Agent",
};
