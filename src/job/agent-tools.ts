import { nearest } from "../document/nearest.ts";
import type { RuleList } from "../permission/weigh.ts";
import { readRule } from "../permission/written-rule.ts";
import type { AgentSpec } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { Rule } from "../protocol/scope.ts";

/**
 * What an agent file's `tools` and `disallowedTools` come to here. They can only take away: a tool that is not here is
 * no loss, but a word that could be a misspelt one is refused, since it may have been meant to narrow.
 */
export type AgentLimits = Pick<AgentSpec, "allow" | "deny" | "tools">;

/** Names as agent files write them, `Bash(npm test:*)` among them. Throws Fault `rule`. */
export function agentLimits(allowed: readonly string[] | undefined, disallowed: readonly string[]): AgentLimits {
  const offered = allowed?.includes("*") ? undefined : allowed;
  const removed = new Set(disallowed.filter((word) => !word.includes("(")).flatMap((word) => toolsOf(nameIn(word))));
  const deny = disallowed.flatMap(denials);
  const kept = (offered?.flatMap((word) => toolsOf(nameIn(word))) ?? everyTool).filter((name) => !removed.has(name));
  const isLimited = offered !== undefined || removed.size > 0;
  return {
    ...(offered === undefined ? {} : { allow: unique(offered.flatMap((word) => rulesOf(word, "allow"))) }),
    ...(deny.length === 0 ? {} : { deny: unique(deny) }),
    ...(isLimited ? { tools: [...new Set([...kept, "submit"])] } : {}),
  };
}

/** Words between commas; those inside parentheses belong to their tool. */
export function wordsOf(written: string | readonly string[]): string[] {
  const texts = typeof written === "string" ? [written] : written;
  return texts.flatMap(cutAtCommas).flatMap((word) => word.trim() || []);
}

/** In one pass: agent files come out of the repository, and may hold hundreds of thousands of commas. */
function cutAtCommas(text: string): string[] {
  const words: string[] = [];
  let from = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "(") depth += 1;
    else if (character === ")") depth = Math.max(0, depth - 1);
    else if (character === "," && depth === 0) {
      words.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...words, text.slice(from)];
}

/** By the name that agent files use: the rule that its tools are under, and the tools of ours that it stands for. */
const known: Readonly<Record<string, { rule?: string; tools: readonly string[] }>> = {
  Read: { rule: "Read", tools: ["read"] },
  LS: { rule: "Read", tools: ["list"] },
  Glob: { rule: "Read", tools: ["glob", "list"] },
  Grep: { rule: "Read", tools: ["grep"] },
  Edit: { rule: "Edit", tools: ["edit", "apply_edits", "ast_rewrite"] },
  MultiEdit: { rule: "Edit", tools: ["edit", "apply_edits", "ast_rewrite"] },
  Write: { rule: "Edit", tools: ["write", "delete"] },
  Bash: { rule: "Bash", tools: ["bash"] },
  WebFetch: { rule: "WebFetch", tools: ["web_fetch"] },
  Agent: { rule: "Agent", tools: ["agent"] },
  Task: { rule: "Agent", tools: ["agent"] },
};

const everyTool = [...new Set(Object.values(known).flatMap(({ tools }) => tools))];

/** Tools of other programs that agent files name; none of them is here. */
const elsewhere: ReadonlySet<string> = new Set([
  "AskUserQuestion",
  "BashOutput",
  "EnterPlanMode",
  "ExitPlanMode",
  "KillBash",
  "KillShell",
  "ListMcpResourcesTool",
  "LSP",
  "Monitor",
  "NotebookEdit",
  "NotebookRead",
  "ReadMcpResourceTool",
  "SendMessage",
  "Skill",
  "SlashCommand",
  "TaskCreate",
  "TaskGet",
  "TaskList",
  "TaskOutput",
  "TaskStop",
  "TaskUpdate",
  "TodoRead",
  "TodoWrite",
  "ToolSearch",
  "WebSearch",
]);

function nameIn(word: string): string {
  return word.replace(/\(.*$/s, "").trim();
}

function toolsOf(name: string): readonly string[] {
  if (elsewhere.has(name) || name.startsWith("mcp__")) return name.startsWith("mcp__") ? [name] : [];
  const found = Object.hasOwn(known, name) ? known[name] : undefined;
  if (found) return found.tools;
  const meant = nearest(name, [...Object.keys(known), ...elsewhere]);
  throw new Fault("rule", `there is no tool ${JSON.stringify(name.slice(0, 80))}`, {
    remedy: meant ? `did you mean ${meant}?` : `write ${Object.keys(known).join(", ")} or mcp__SERVER__TOOL`,
  });
}

function rulesOf(word: string, list: RuleList): Rule[] {
  const name = nameIn(word);
  toolsOf(name);
  if (elsewhere.has(name)) return [];
  if (name.startsWith("mcp__")) return [readRule(word, list)];
  const rule = known[name]?.rule ?? name;
  if (!word.includes("(")) return [readRule(rule, list)];
  if (rule !== "Agent" && rule !== name) {
    throw new Fault("rule", `${word} is refused: rules about paths are written for Read and Edit`, {
      remedy: `write ${word.replace(name, rule)}`,
    });
  }
  const inside = /\((.*)\)$/s.exec(word)?.[1] ?? "";
  return rule === "Agent" ? wordsOf(inside).map((agent) => readRule(`Agent(${agent})`, list)) : [readRule(word, list)];
}

/** A tool without its parentheses is not offered; where it is all there is of its kind, a rule denies it too. */
function denials(word: string): Rule[] {
  const rules = rulesOf(word, "deny");
  return word.includes("(") || !["Write", "MultiEdit", "LS", "Glob", "Grep"].includes(word) ? rules : [];
}

function unique(rules: readonly Rule[]): Rule[] {
  return [...new Map(rules.map((rule) => [rule.id, rule])).values()];
}
