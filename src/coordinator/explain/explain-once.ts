import { type Call, shown } from "../../permission/call.ts";
import { explainCall } from "../../permission/explain-call.ts";
import type { Explanation } from "../../protocol/explanation.ts";
import type { Rule, RuleTool, Scope, ScopeLayer } from "../../protocol/scope.ts";
import { parseCommand } from "../../shell/parse-command.ts";
import { createRedactor } from "../../telemetry/redact.ts";
import { toolNames } from "../../tools/catalog.ts";
import { unasked } from "../approvals/approval-decision.ts";
import type { ExplainGround } from "../explain.ts";
import { scopeOf } from "../tasks/scope-of.ts";
import type { Place } from "./explain-places.ts";
import { withTools } from "./explain-tools.ts";

/**
 * Explains one call wherever it is asked for, deciding it once for all scopes that say the same about it: most tasks of
 * a job differ in the files they may write and in nothing else.
 */
export function explainOnce(call: Call, ground: ExplainGround): (place: Place) => Explanation {
  const tools = toolsIn(call);
  const known = new Map<string, Explanation>();
  return ({ task, step }) => {
    const scope = scopeOf(task, step, { ...ground, tools: toolNames });
    const given = call.tool === "Mcp" ? step.agent.tools : undefined;
    const key = JSON.stringify([whatItSays(scope, tools), scope.tools, given ?? null]);
    const explanation = known.get(key) ?? explainIn(scope, call, { ...ground, given });
    known.set(key, explanation);
    return explanation;
  };
}

/** The tools whose rules have a say. A command that writes to files itself is held by the rules about those too. */
function toolsIn(call: Call): readonly RuleTool[] {
  if (call.tool === "Read" || call.tool === "Edit") return ["Read", "Edit"];
  if (call.tool !== "Bash") return [call.tool];
  const line = parseCommand(call.command);
  const isWriting = !("refused" in line) && line.commands.some(({ redirects }) => redirects.length > 0);
  return isWriting ? ["Bash", "Read", "Edit"] : ["Bash"];
}

function whatItSays({ layers, mode }: Scope, tools: readonly RuleTool[]): string {
  const about = (rules: readonly Rule[] | undefined) => rules?.filter(({ tool }) => tools.includes(tool));
  const said = ({ source, limits, allow, ask, deny }: ScopeLayer) => [
    ...[source, limits ?? null],
    ...[about(allow) ?? null, about(ask) ?? null, about(deny)],
  ];
  return JSON.stringify([mode ?? null, layers.map(said)]);
}

type Ground = ExplainGround & { given: readonly string[] | undefined };

function explainIn(scope: Scope, call: Call, ground: Ground): Explanation {
  const { spec, given } = ground;
  const explanation = withTools(explainCall(scope, call, ground), call, { scope, spec, tools: given });
  if (explanation.effect !== "ask") return explanation;
  const { effect, rule, source, reason, suggestion } = explanation;
  const decision = { effect, rule, source, reason };
  const asked = { callId: "", tool: call.tool, input: inputOf(call), inputSha256: "", decision, suggestion };
  return { ...explanation, ...(unasked(asked, { ...ground, redact: byFormat }) ?? {}) };
}

/** A run knows the operator's own secrets as well. Whoever may only ask must not find out here what they are. */
const byFormat = createRedactor([]);

function inputOf(call: Call): string {
  if (call.tool === "Bash") return call.command;
  return "path" in call ? call.path : shown(call);
}
