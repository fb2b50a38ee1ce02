import type { Rule, Scope } from "../protocol/scope.ts";
import type { WrittenRule } from "../protocol/written-rule.ts";
import { type Call, callOf, decideCall, parseCall } from "./call.ts";
import { neverAdmitted } from "./command-danger.ts";
import { decideCommand } from "./decide-command.ts";
import { parseRule } from "./rule.ts";
import { refuseRule } from "./rule-refusal.ts";
import type { RuleList } from "./weigh.ts";

/**
 * A rule of a list as people write it, its examples tried: one that disagrees is an error, so that a rule says what its
 * author believes, or nothing. They are decided as calls are, by the list that the rule stands in. Throws Fault `rule`.
 */
export function readRule(written: WrittenRule, list: RuleList): Rule {
  const rule = parseRule(typeof written === "string" ? written : written.rule);
  if (list === "allow") refuseNever(rule);
  if (typeof written === "string") return rule;
  for (const example of written.match ?? []) {
    if (covers(rule, example, list)) continue;
    throw refuseRule(
      rule.id,
      `it does not cover its example ${quoted(example)}`,
      "correct the rule, or move the example to not_match",
    );
  }
  for (const example of written.not_match ?? []) {
    if (!covers(rule, example, list)) continue;
    throw refuseRule(
      rule.id,
      `it covers ${quoted(example)}, which it must not`,
      "narrow the rule, or move the example to match",
    );
  }
  return rule;
}

/** What no allow rule lets through is no rule to write: it would look like a permission and be none. */
function refuseNever(rule: Rule): void {
  if (rule.tool !== "Bash" || rule.words === undefined) return;
  const reason = rule.isWhole ? refusalOf(rule, rule.words) : neverAdmitted(rule.words);
  if (reason === undefined) return;
  throw refuseRule(rule.id, `it could never allow anything: ${reason}`, "name a harmless command, or write Bash alone");
}

function refusalOf(rule: Rule, words: readonly string[]): string | undefined {
  const { effect, reason } = decideCommand(alone(rule, "allow"), words.join(" "));
  return effect === "allow" ? undefined : reason;
}

function covers(rule: Rule, example: string, list: RuleList): boolean {
  const call = exampleOf(rule, example);
  return decideCall(alone(rule, list), call, { isCaseInsensitive: false }).effect === list;
}

/** What the rule would make of a call that nothing else speaks of. */
function alone(rule: Rule, list: RuleList): Scope {
  const allow = list === "allow" ? [rule] : [bare(rule)];
  const layer = { source: "example", allow, ask: [], deny: [] };
  return { layers: [list === "allow" ? layer : { ...layer, [list]: [rule] }], tools: [] };
}

function bare(rule: Rule): Rule {
  if (rule.tool === "Mcp") return { id: `mcp__${rule.server}`, tool: "Mcp", server: rule.server };
  return parseRule(rule.tool);
}

/** A path, a command, a host or a name; or the whole call. */
function exampleOf(rule: Rule, example: string): Call {
  if (rule.tool === "Mcp" || example.startsWith(`${rule.tool}(`)) return parseCall(example);
  return callOf(rule.tool, example);
}

function quoted(example: string): string {
  return JSON.stringify(example.length > 200 ? `${example.slice(0, 197)}...` : example);
}
