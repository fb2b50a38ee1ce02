import { containSync } from "../files/contain.ts";
import { openLook } from "../files/look.ts";
import type { ToolUse } from "../protocol/message.ts";
import type { Decision, Scope } from "../protocol/scope.ts";
import { toolNamed } from "./catalog.ts";
import { decidePaths, type Judgement } from "./decide-paths.ts";

/** What the coordinator knows of a run: enough to decide its calls without its thread. */
export interface JudgeView {
  scope: Scope;
  /** The run's workspace, absolute and canonical. */
  root: string;
  isCaseInsensitive: boolean;
}

/**
 * The coordinator's own decision on a call with an effect, from the workspace as it is now. A link that only the base
 * holds is followed, and decided once more, in the thread. `subject` is what the decision is about.
 */
export function judge(call: ToolUse, view: JudgeView): Judgement {
  const tool = toolNamed(call.name);
  if (!tool || !view.scope.tools.includes(call.name)) return notOffered(call, view.scope);
  const opened = tool.open(call.input);
  if ("problem" in opened) return { decision: malformed(opened.problem), subject: shortInput(call.input) };
  const look = openLook(view.root, view);
  const options = { root: view.root, followsLast: !tool.isAboutLinks };
  const resolved = opened.paths.map(({ path }) => containSync(path, look, options));
  return decidePaths(opened.paths, resolved, { tool, scope: view.scope, isCaseInsensitive: view.isCaseInsensitive });
}

/** A call for a tool that does not exist, or that this run was not given. */
export function notOffered(call: ToolUse, scope: Scope): Judgement {
  const reason = `there is no tool ${JSON.stringify(call.name.slice(0, 100))} here; the tools are ${scope.tools.join(", ")}`;
  return {
    decision: { effect: "deny", rule: "not offered", source: "sheaf", reason },
    subject: shortInput(call.input),
  };
}

/** The short form of an input that names no path. */
export function shortInput(input: unknown): string {
  return (JSON.stringify(input) ?? "").slice(0, 200).toWellFormed();
}

/** Not a denial: the call fails in the thread, on the same schema, before it touches anything. */
function malformed(problem: string): Decision {
  return { effect: "allow", rule: "no path", source: "sheaf", reason: `it will fail on its input: ${problem}` };
}
