import type { AgentSpec } from "../protocol/agent.ts";
import type { CommandCheck } from "../protocol/check.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobSpec, NamedTask } from "../protocol/job.ts";
import type { PlannedJob, PlannedTask } from "../protocol/plan.ts";
import type { Step } from "../protocol/step.ts";
import type { Task } from "../protocol/task.ts";
import { printTemplate } from "../protocol/template.ts";
import { readWrite } from "./planned-writes.ts";
import type { SplitView } from "./split-view.ts";
import { afterId, beforeId } from "./task-ids.ts";

/**
 * A planner's tasks as a job file would write them. A plan says who may edit what and what is asked; it gives nobody a
 * right, a command or an agent that the job does not have. It was checked before (check-plan.ts).
 */
export function withPlan(spec: JobSpec, plan: PlannedJob, view: PlannedView): JobSpec {
  const tasks = plan.tasks.map((task) => namedTask(task, { spec, view }));
  const land = plan.land === "together" ? "together" : spec.land;
  return { ...spec, tasks, land };
}

export type PlannedView = Pick<SplitView, "files" | "matches" | "isCaseInsensitive">;

/**
 * Of a stored job, whose plan leaves steps out of the log: whose they are is told by the task's name. Not filled in yet,
 * and without a look at the base.
 */
export function stepsAsPlanned(spec: JobSpec, plan: PlannedJob | undefined): (id: Task["id"]) => Step[] {
  const { before, each, after, tasks } = spec;
  const ofPlan = new Map(plan?.tasks.map((task) => [task.id as string, stepsOf(task, spec)]));
  const named = new Map(tasks.map(({ id, steps }) => [id as string, steps]));
  return (id) => {
    if (before.length > 0 && id === beforeId) return before;
    if (after.length > 0 && id === afterId) return after;
    return ofPlan.get(id) ?? named.get(id) ?? each;
  };
}

function namedTask(task: PlannedTask, { spec, view }: { spec: JobSpec; view: PlannedView }): NamedTask {
  const writes = task.writes.map((text) => {
    const read = readWrite(text, view);
    if ("pattern" in read) return read.pattern;
    throw new Fault("internal", `the plan was taken with ${JSON.stringify(text)} in it: ${read.problem}`);
  });
  return {
    id: task.id,
    title: task.title,
    writes,
    steps: stepsOf(task, spec),
    ...(task.needs ? { needs: [...task.needs] } : {}),
    ...(task.checks ? { checks: task.checks.flatMap((run) => checkOf(run, spec)) } : {}),
  };
}

function stepsOf(task: PlannedTask, spec: JobSpec): Step[] {
  return [{ kind: "agent", agent: agentOf(task, spec), prompt: asText(askedOf(task)) }];
}

function agentOf({ id, agent: name }: PlannedTask, { agents = [], worker, planner }: JobSpec): AgentSpec {
  const named = name === undefined ? worker : agents.find((agent) => agent.name === name);
  if (named) return named;
  if (name !== undefined || !planner) throw new Fault("internal", `the planned task ${id} has no agent`);
  return { name: "default", model: planner.model, instructions: "" };
}

function askedOf({ goal, reads = [], writes, needs = [] }: PlannedTask): string {
  return [
    goal.trim(),
    listed("You may edit", writes),
    listed("Look first at", reads),
    listed("The work of these tasks is in what you see", needs),
  ]
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");
}

function listed(title: string, names: readonly string[]): string {
  return names.length === 0 ? "" : `${title}:\n${names.map((name) => `- ${name}`).join("\n")}`;
}

/** Prompts are templates, and what a model wrote is none. */
function asText(text: string): string {
  return printTemplate([{ kind: "text", text }]);
}

/** What the job says of that command holds for it here too; one that it has at each task anyway is not run twice. */
function checkOf(run: string, { checks }: JobSpec): CommandCheck[] {
  const known = checks.filter((check): check is CommandCheck => check.kind === "command" && check.run === run);
  const [one] = known;
  if (known.some(({ at }) => at === "task")) return [];
  return [one ? { ...one, at: "task" } : { kind: "command", name: nameOf(run), run, ...usual }];
}

/** As a check of a job file that says no more than its command. */
const usual = {
  at: "task",
  expect: "no-new-failures",
  timeout_ms: 15 * 60_000,
  parse: "exit",
  retries: 0,
} as const;
const longestName = 60;

function nameOf(run: string): string {
  const line = run.trim().replace(/\s+/g, " ");
  return line.length > longestName ? `${line.slice(0, longestName - 3)}...` : line;
}
