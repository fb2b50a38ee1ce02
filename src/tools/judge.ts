import { type Contained, contain, containSync, type Escape, type Seen } from "../files/contain.ts";
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
  /** What the base holds at a path that is not in the workspace. */
  behind(path: string): Promise<Seen>;
}

/**
 * The coordinator's own decision on a call about paths, from the workspace as it is now. Where nothing is ever asked, a
 * link that only the base holds is left to the thread, which decides once more: that spares a look at the base for each
 * file of a recipe. `subject` is what the decision is about.
 */
export async function judge(call: ToolUse, view: JudgeView): Promise<Judgement> {
  const tool = toolNamed(call.name);
  if (!tool || !view.scope.tools.includes(call.name)) return notOffered(call, view.scope);
  const opened = tool.open(call.input);
  if ("problem" in opened) return { decision: malformed(opened.problem), subject: shortInput(call.input) };
  const options = { root: view.root, followsLast: !tool.isAboutLinks };
  const paths = opened.paths.map(({ path }) => path);
  const resolved = await resolveAll(paths, options, view);
  return decidePaths(opened.paths, resolved, { tool, scope: view.scope, isCaseInsensitive: view.isCaseInsensitive });
}

/** Whether any call of this scope may be a question, a read as well. */
export function asksSomething({ mode, layers }: Scope): boolean {
  return mode === "ask" || layers.some(({ ask }) => (ask?.length ?? 0) > 0);
}

async function resolveAll(
  paths: readonly string[],
  options: { root: string; followsLast: boolean },
  view: JudgeView,
): Promise<(Contained | Escape)[]> {
  const here = openLook(view.root, view);
  if (!asksSomething(view.scope)) return paths.map((path) => containSync(path, here, options));
  const look = async (path: string) => {
    const seen = here(path);
    return seen.kind === "missing" ? view.behind(path) : seen;
  };
  const resolved: (Contained | Escape)[] = [];
  for (const path of paths) resolved.push(await contain(path, look, options));
  return resolved;
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
