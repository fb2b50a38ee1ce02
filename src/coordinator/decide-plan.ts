import type { ToolUse } from "../protocol/message.ts";
import { type PlannedJob, plannedJob } from "../protocol/plan.ts";
import type { Decision } from "../protocol/scope.ts";
import type { Judgement } from "../tools/decide-paths.ts";
import { plan } from "../tools/plan.ts";

/** What is wrong with a plan, each problem with its place; nothing where it can be carried out. */
export type JudgePlan = (planned: PlannedJob) => Promise<readonly string[]>;

/**
 * A plan is judged where all other effects are, before the call of it counts: what cannot be carried out is denied, with
 * every problem in the reason, which its agent reads. Undefined for what is no plan at all: that fails in the thread.
 */
export async function decidePlan(call: ToolUse, judgePlan: JudgePlan): Promise<Judgement | undefined> {
  const parsed = call.name === plan.name ? plannedJob.safeParse(call.input) : undefined;
  if (!parsed?.success) return undefined;
  const problems = await judgePlan(parsed.data);
  const subject = `${parsed.data.tasks.length} tasks`;
  return { decision: problems.length === 0 ? taken : refusedFor(problems), subject };
}

const named = { rule: "plan", source: "sheaf" };
const taken: Decision = { ...named, effect: "allow", reason: "the plan can be carried out" };

function refusedFor(problems: readonly string[]): Decision {
  return { ...named, effect: "deny", reason: problemText(problems) };
}

/** Most problems that are told at once. */
const mostTold = 50;

/** For an agent, and for whoever reads why a job was refused. */
export function problemText(problems: readonly string[]): string {
  const told = problems.slice(0, mostTold).map((problem) => `- ${problem}`);
  const more = problems.length > mostTold ? `\n- and ${problems.length - mostTold} more` : "";
  return `the plan cannot be carried out:\n${told.join("\n")}${more}`;
}
