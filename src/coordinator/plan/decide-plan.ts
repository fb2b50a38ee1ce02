import type { ToolUse } from "../../protocol/message.ts";
import { type PlannedJob, plannedJob } from "../../protocol/plan.ts";
import type { Decision } from "../../protocol/scope.ts";
import type { Judgement } from "../../tools/decide-paths.ts";
import { plan } from "../../tools/plan.ts";

/** A plan, or what keeps what was handed in from being one. */
export type HandedIn = { planned: PlannedJob } | { unreadable: readonly string[] };

/** What is wrong with a plan, each problem with its place; nothing where it can be carried out. */
export type JudgePlan = (handedIn: HandedIn) => Promise<readonly string[]>;

/**
 * A plan is judged where all other effects are, before the call of it counts: what cannot be carried out is denied, with
 * every problem in the reason, which its agent reads. What is no plan at all counts as one that cannot. Undefined for
 * calls of other tools.
 */
export async function decidePlan(call: ToolUse, judgePlan: JudgePlan): Promise<Judgement | undefined> {
  if (call.name !== plan.name) return undefined;
  const handedIn = readPlan(call);
  const problems = await judgePlan(handedIn);
  const subject = "planned" in handedIn ? `${handedIn.planned.tasks.length} tasks` : "no plan";
  return { decision: problems.length === 0 ? taken : refusedFor(problems), subject };
}

function readPlan({ input, malformed }: ToolUse): HandedIn {
  if (malformed !== undefined) return { unreadable: ["the input is no complete JSON object"] };
  const parsed = plannedJob.safeParse(input);
  if (parsed.success) return { planned: parsed.data };
  return { unreadable: parsed.error.issues.map(({ path, message }) => `${placeOf(path)}: ${message}`) };
}

function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return place === "" ? "plan" : place.replace(/^\./, "");
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
