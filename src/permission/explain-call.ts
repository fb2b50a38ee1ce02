import type { Explanation } from "../protocol/explanation.ts";
import type { Decision, Rule, Scope, ScopeLayer } from "../protocol/scope.ts";
import { type Call, decideCall, questionOf, shown } from "./call.ts";
import { suggestRule } from "./suggest-rule.ts";
import { limits, voicesOf } from "./weigh.ts";

/**
 * Why a call is allowed, asked about or denied. The decision is the one a run gets, from the same function; what each
 * layer says is told beside it and decides nothing.
 */
export function explainCall(scope: Scope, call: Call, facts: Facts): Explanation {
  const decision = decideCall(scope, call, facts);
  const suggestion = decision.effect === "allow" ? undefined : suggestRule(scope, call, facts);
  const layers = call.tool === "Bash" ? ofCommand(scope, call, facts) : ofOthers(scope, call, facts);
  return { ...decision, call: shown(call), layers, ...(suggestion ? { suggestion } : {}) };
}

interface Facts {
  isCaseInsensitive: boolean;
}

type Layers = Explanation["layers"];

function ofOthers(scope: Scope, call: Exclude<Call, { tool: "Bash" }>, facts: Facts): Layers {
  return voicesOf(scope, questionOf(call, facts)).map(({ source, effect, rule }) => ({
    source,
    effect,
    ...(rule === undefined ? {} : { rule }),
  }));
}

/** Several commands may stand in one line, so each layer is asked about the whole line, as if it were alone. */
function ofCommand(scope: Scope, call: Call, facts: Facts): Layers {
  return scope.layers.map((layer, index) => {
    const isOpen = index > 0 && !limits(layer, "Bash");
    const mode = index === 0 && scope.mode === "ask" ? { mode: "ask" as const } : {};
    const alone: Scope = { layers: [isOpen ? opened(layer) : layer], tools: [], ...mode };
    return { source: layer.source, ...spoken(decideCall(alone, call, facts), isOpen) };
  });
}

function opened(layer: ScopeLayer): ScopeLayer {
  const { limits: _, ...rest } = layer;
  return { ...rest, allow: [anyCommand] };
}

const anyCommand: Rule = { id: "Bash", tool: "Bash" };

function spoken({ effect, rule }: Decision, isOpen: boolean): Omit<Layers[number], "source"> {
  if (isOpen && effect === "allow") return { effect: "silent" };
  return { effect, ...(rule === "no rule" ? {} : { rule }) };
}
