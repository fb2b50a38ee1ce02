import { createTasks } from "../db/create-tasks.ts";
import { compilePattern } from "../permission/pattern.ts";
import { protectedAs } from "../permission/protected-path.ts";
import { subjectOf } from "../permission/subject.ts";
import type { Step } from "../protocol/job.ts";
import type { Unsplit } from "../protocol/task.ts";
import { attribute, planSpan } from "../telemetry/semconv.ts";
import { toText } from "../workspace/raw-path.ts";
import { listTree } from "../workspace/tree.ts";
import type { TreeEntry } from "../workspace/tree-listing.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { type Plan, planSplit, type SplitView } from "./split.ts";

/** Looks at the base tree, splits the job, and logs the plan before anything is started. */
export async function plan(job: Job, { threads, database }: Equipment): Promise<Plan> {
  const strategy = job.spec.tasks.length > 0 ? "tasks" : job.spec.split.by;
  const span = job.tracer.start(planSpan(strategy), { parent: job.span });
  try {
    const made = await previewPlan(job, threads);
    const tasks = made.tasks.map(({ steps: _, ...task }) => task);
    await job.log([{ type: "job.planned", data: { strategy, tasks, unsplit: made.unsplit } }]);
    await createTasks(job.id, made.tasks, database);
    span.set({ [attribute.tasks]: tasks.length });
    span.end();
    return made;
  } finally {
    span.end({ status: "error", message: "no plan" });
  }
}

/** The same plan without a trace of it: what `sheaf plan` shows. Throws Fault `job_file` for what cannot be split. */
export async function previewPlan(
  { spec, repository }: Pick<Job, "spec" | "repository">,
  threads: number,
): Promise<Plan> {
  const entries = await listTree(repository, spec.base.tree);
  const steps = [...spec.each, ...spec.tasks.flatMap((task) => task.steps)];
  const covers = await coverageOf(steps);
  const { files, unsplit } = sortOut(entries, (path) => covers(steps, path));
  const facts = { isCaseInsensitive: repository.isCaseInsensitive };
  return planSplit(spec, {
    files,
    unsplit,
    threads,
    covers,
    matches: (pattern, path) => compilePattern(pattern, facts.isCaseInsensitive).covers(subjectOf(path, facts)),
  });
}

/** What an agent can be given, and what it cannot although the job is about it. Links and submodules are left alone. */
function sortOut(
  entries: readonly TreeEntry[],
  isWanted: (path: string) => boolean,
): Pick<SplitView, "files" | "unsplit"> {
  const files: string[] = [];
  const unsplit: Unsplit[] = [];
  for (const { path: raw, mode } of entries) {
    if (!mode.startsWith("100")) continue;
    const path = toText(raw);
    const shown = path ?? Buffer.from(raw, "latin1").toString();
    const kind = path === undefined ? undefined : protectedAs(path);
    if (path !== undefined && kind === undefined) files.push(path);
    else if (isWanted(shown)) unsplit.push({ path: shown, reason: reasonOf(kind) });
  }
  return { files, unsplit };
}

function reasonOf(protectedKind: string | undefined): string {
  if (protectedKind === undefined) return "its name is not UTF-8: it stays as it is";
  return `${protectedKind} is protected: name the path itself in permissions.allow to include it`;
}

/** Recipes are asked which files they have a grammar for; other agents may be given any file. */
async function coverageOf(steps: readonly Step[]): Promise<SplitView["covers"]> {
  const covering = new Map<Step, (path: string) => boolean>();
  for (const step of steps) {
    if (step.kind !== "agent" || step.agent.model.provider !== "recipe") continue;
    const { model } = step.agent;
    const { compileRecipe } = await import("../rewrite/engine.ts");
    const recipe = compileRecipe(model.recipe);
    covering.set(step, (path) => recipe.covers(path));
  }
  return (asked, path) => asked.some((step) => covering.get(step)?.(path) ?? true);
}
