import type {
  AgentRule,
  CommandRule,
  Decision,
  DomainRule,
  McpRule,
  PathRule,
  Rule,
  RuleTool,
  Scope,
  ScopeLayer,
} from "../protocol/scope.ts";

/**
 * The one place where rules meet: deny before ask before allow, over all layers. The first layer grants, and where it
 * is silent the scope's mode decides; every other layer can only take away. Which rules speak of a call, the caller
 * says; specificity never matters.
 */
export function weigh<T extends RuleTool>(scope: Scope, question: Question<T>): Decision {
  const voices = voicesOf(scope, question);
  const denied = voices.find((voice) => voice.effect === "deny" && voice.rule !== undefined);
  if (denied) return decisionOf(denied);
  if (isStopped(scope, question.tool)) return planned(question);
  return decisionOf(least(voices));
}

function least(voices: readonly Voice[]): Voice {
  const limit = voices.find((voice) => voice.effect === "deny");
  if (limit) return limit;
  const asked = voices.filter((voice) => voice.effect === "ask");
  return asked.find((voice) => voice.rule !== undefined) ?? asked[0] ?? voices[0] ?? nothingGiven;
}

/** A call, as the rules of its tool see it. */
export interface Question<T extends RuleTool> {
  tool: T;
  /** Whether that rule speaks of the call. A deny or ask may look through more than an allow does. */
  covers(rule: RuleOf<T>, list: RuleList): boolean;
  /** Names the call within a sentence: `"src/a.ts"`, `the command "npm test"`. */
  about: string;
  /** Rules of another tool whose deny and ask speak of this call too: those of Read do of an Edit. */
  also?: { tool: RuleTool; covers(rule: Rule, list: RuleList): boolean; because: string };
}

export type RuleList = "allow" | "ask" | "deny";

interface RuleByTool {
  Read: PathRule;
  Edit: PathRule;
  Bash: CommandRule;
  WebFetch: DomainRule;
  Agent: AgentRule;
  Mcp: McpRule;
}
type RuleOf<T extends RuleTool> = RuleByTool[T];

/** What one layer says of a call. `silent`: it neither speaks nor limits. Without a rule, none of that layer covers it. */
export interface Voice {
  source: string;
  effect: Decision["effect"] | "silent";
  rule?: string;
  reason: string;
}

/** What each layer says, in the order of the scope. */
export function voicesOf<T extends RuleTool>(scope: Scope, question: Question<T>): Voice[] {
  return scope.layers.map((layer, index) => {
    const own = spoken(layer, question) ?? unspoken(layer, question, { scope, index });
    return own.effect === "allow" || own.effect === "silent" ? (besides(layer, "ask", question) ?? own) : own;
  });
}

function spoken<T extends RuleTool>(layer: ScopeLayer, question: Question<T>): Voice | undefined {
  for (const list of ["deny", "ask", "allow"] as const) {
    const rule = rulesOf(layer, list, question.tool).find((each) => question.covers(each, list));
    if (rule) return voice(layer, list, rule, sentence(list, question));
    const denied = list === "deny" ? besides(layer, list, question) : undefined;
    if (denied) return denied;
  }
  return undefined;
}

/** A rule of another tool that speaks of the call too. It takes away, and never stands for one of the call's own. */
function besides<T extends RuleTool>(
  layer: ScopeLayer,
  list: "ask" | "deny",
  question: Question<T>,
): Voice | undefined {
  const { also } = question;
  const rule = also && rulesOf(layer, list, also.tool).find((each) => also.covers(each, list));
  return rule && voice(layer, list, rule, `${sentence(list, question)}, and ${also.because}`);
}

function voice(layer: ScopeLayer, effect: RuleList, rule: Rule, reason: string): Voice {
  return { source: layer.source, effect, rule: rule.id, reason: effect === "allow" ? `${rule.id} covers it` : reason };
}

function sentence(list: RuleList, { about }: { about: string }): string {
  return list === "deny" ? `a deny rule covers ${about}` : `a rule asks about ${about}`;
}

/** The first layer must grant; another limits only if it has a list of what it allows. */
function unspoken<T extends RuleTool>(
  layer: ScopeLayer,
  { tool, about }: Question<T>,
  { scope, index }: { scope: Scope; index: number },
): Voice {
  const { source } = layer;
  if (index > 0 && !limits(layer, tool)) return { source, effect: "silent", reason: "it says nothing of it" };
  const reason = `no ${tool} rule of the ${source} covers ${about}; ${allowed(layer, tool)}`;
  return { source, effect: index === 0 && scope.mode === "ask" ? "ask" : "deny", reason };
}

/** Whether what that layer does not allow is denied by it. The first layer limits always. */
export function limits(layer: ScopeLayer, tool: RuleTool): boolean {
  return layer.allow !== undefined && (layer.limits?.includes(tool) ?? true);
}

function allowed(layer: ScopeLayer, tool: RuleTool): string {
  const ids = rulesOf(layer, "allow", tool).map((rule) => rule.id);
  const shown = ids.length > 5 ? [...ids.slice(0, 5), `and ${ids.length - 5} more`] : ids;
  return shown.length > 0 ? `it allows ${shown.join(", ")}` : `it allows no ${tool}`;
}

/** Whether the scope's mode denies whatever that tool could do. */
export function isStopped(scope: Scope, tool: RuleTool): boolean {
  return scope.mode === "plan" && tool !== "Read";
}

function planned<T extends RuleTool>({ about }: Question<T>): Decision {
  const reason = `the permission mode is plan, which denies every effect: ${about}; read, and say what should be done`;
  return { effect: "deny", rule: "mode: plan", source: "job", reason };
}

const nothingGiven: Voice = { source: "scope", effect: "deny", reason: "this run was given no rules" };

function decisionOf({ source, effect, rule, reason }: Voice): Decision {
  return { effect: effect === "silent" ? "deny" : effect, rule: rule ?? "no rule", source, reason };
}

const sorted = new WeakMap<ScopeLayer, Map<string, readonly Rule[]>>();

/** A layer's rules of one tool in their order. Layers are immutable once used: the lists are made once. */
export function rulesOf<T extends RuleTool>(layer: ScopeLayer, list: RuleList, tool: T): readonly RuleOf<T>[];
export function rulesOf(layer: ScopeLayer, list: RuleList, tool: RuleTool): readonly Rule[] {
  const known = sorted.get(layer) ?? new Map<string, readonly Rule[]>();
  if (known.size === 0) sorted.set(layer, known);
  const key = `${list} ${tool}`;
  const rules = known.get(key) ?? (layer[list] ?? []).filter((rule) => rule.tool === tool);
  known.set(key, rules);
  return rules;
}
