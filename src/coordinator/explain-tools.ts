import type { Call } from "../permission/call.ts";
import { ruleToolOf } from "../permission/offered-tools.ts";
import type { Explanation } from "../protocol/explanation.ts";
import type { Scope } from "../protocol/scope.ts";
import { toolNames } from "../tools/catalog.ts";

/** What rules allow is of no use to an agent that was not given a tool for it: a run turns such a call away. */
export function withTools(explanation: Explanation, call: Call, scope: Scope): Explanation {
  const fitting = toolsFor(call);
  const missing = fitting.filter((name) => !scope.tools.includes(name));
  if (explanation.effect === "deny" || missing.length === 0) return explanation;
  const without = `the agent is not given ${missing.join(", ")}`;
  if (missing.length < fitting.length) return { ...explanation, reason: `${explanation.reason}; ${without}` };
  const { suggestion: _, ...rest } = explanation;
  const reason = `${without}: its tools are ${scope.tools.join(", ")}`;
  return { ...rest, effect: "deny", rule: "not offered", source: "sheaf", reason };
}

/** A folder is listed and a file is read; none for what no tool of ours does. */
function toolsFor(call: Call): string[] {
  const all = toolNames.filter((name) => ruleToolOf(name) === call.tool);
  if (call.tool !== "Read") return all;
  return all.filter((name) => (name === "read") !== call.isDirectory);
}
