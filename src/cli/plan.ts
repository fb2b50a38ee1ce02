import { previewPlan } from "../coordinator/plan.ts";
import type { Base } from "../protocol/job.ts";
import type { Result } from "../protocol/result.ts";
import { forecastOf } from "../split/forecast.ts";
import { partsToLock } from "../split/locked-parts.ts";
import type { Plan } from "../split/split-view.ts";
import { formatOption } from "./options.ts";
import { lockPlan, planOnly } from "./plan-first.ts";
import { openPlanThreads } from "./plan-threads.ts";
import { planLines, planningLine } from "./plan-view.ts";
import { type Asked, openJob, readAsked } from "./read-job.ts";
import { openFor, withJobOptions } from "./run.ts";
import type { FollowOptions, ReadJob } from "./run-to-end.ts";
import type { Surroundings } from "./session.ts";
import type { Verb } from "./verb.ts";
import { renderVerdict } from "./verdict.ts";
import { columns, count, oneLine } from "./words.ts";
import { fileInLock, lockOf, writeLock } from "./write-lock.ts";

interface PlanOptions extends FollowOptions {
  output?: string;
}

export const addPlan: Verb = (program, around, exit) => {
  withJobOptions(program.command("plan").description("Shows the tasks a job would be split into; a prompt is planned"))
    .addOption(formatOption(["text", "json"], "text or json"))
    .option("-o, --output <file>", "write the plan as a lock file, for sheaf run --locked")
    .addHelpText("after", "\nExamples:\n  sheaf plan refactor.yaml\n  sheaf plan refactor.yaml -o refactor.plan.yaml")
    .action(async (named: string | undefined, options: PlanOptions) => {
      const asked = await readAsked(named, options, around);
      const { source } = asked;
      const job = { ...(await openJob(source, asked.options, around)), source };
      if (job.spec.split.by === "planner") exit(await planByJob(asked, job, around));
      else await planHere(asked, job, around);
    });
};

/** An agent makes this plan: it is a job that ends with it. Answers the exit code. */
async function planByJob(asked: Asked<PlanOptions>, job: ReadJob, around: Surroundings): Promise<number> {
  const { terminal } = around;
  const { output, outputFormat } = asked.options;
  await using session = await openFor(job, around);
  const result = await planOnly(job, { ...asked.options, outputFormat: "text" }, { session, around });
  for (const line of outputFormat === "json" ? [jsonOf(result, job)] : linesOf(result, job, around))
    terminal.print(line);
  if (result.plan && output !== undefined) await lockPlanned(result, output, { asked, base: job.spec.base, around });
  return result.exit_code;
}

/** Without a plan its verdict says why. */
function jsonOf(result: Result, { spec }: ReadJob): string {
  const shown = result.plan ? { ...result.plan, job: result.job.handle, base: spec.base } : result;
  return JSON.stringify(shown, null, 2);
}

function linesOf(result: Result, job: ReadJob, { terminal }: Surroundings): string[] {
  const { plan } = result;
  if (!plan) return renderVerdict(result, terminal, { isFull: false });
  const head = headline(job, { ...plan, files: filesOf(plan.tasks) });
  return [head, ...planLines(plan, Number.POSITIVE_INFINITY), ...planningLine(result)];
}

async function lockPlanned(
  result: Result,
  output: string,
  { asked, base, around }: { asked: Asked<PlanOptions>; base: Base; around: Surroundings },
): Promise<void> {
  const { file: named, ...rest } = asked;
  const file = fileInLock(named, output, around.cwd);
  const lock = await lockPlan({ ...rest, ...(file === undefined ? {} : { file }) }, result, { base, around });
  await writeLock(lock, output, around.cwd);
}

function filesOf(tasks: readonly { files: number }[]): number {
  return tasks.reduce((sum, task) => sum + task.files, 0);
}

function headline({ spec }: ReadJob, plan: { strategy: string; tasks: readonly unknown[]; files: number }): string {
  const { ref, commit } = spec.base;
  const what = `${count(plan.tasks.length, "task")}, ${count(plan.files, "file")}, split by ${plan.strategy}`;
  return `${spec.name}: ${what}, base ${ref} at ${commit.slice(0, 12)}`;
}

/** A split that is made of the base alone is shown without starting anything. */
async function planHere(asked: Asked<PlanOptions>, job: ReadJob, around: Surroundings): Promise<void> {
  const { spec, repository } = job;
  try {
    await using threads = openPlanThreads(around, repository);
    const plan = await previewPlan({ spec, repository }, threads);
    print(plan, job, { format: asked.options.outputFormat, around });
    if (asked.options.output !== undefined) await lockHere(plan, { asked, job, around });
  } finally {
    await repository.close();
  }
}

async function lockHere(
  plan: Plan,
  { asked, job, around }: { asked: Asked<PlanOptions>; job: ReadJob; around: Surroundings },
): Promise<void> {
  const { options, file } = asked;
  const { output = "" } = options;
  const forecast = forecastOf({ tasks: plan.tasks, earlier: [], priceOf: () => undefined });
  const made = { ...job, options, parts: partsToLock(plan.tasks, job.spec), forecast };
  await writeLock(await lockOf(made, fileInLock(file, output, around.cwd), around.cwd), output, around.cwd);
}

function print(plan: Plan, job: ReadJob, { format, around }: { format: string; around: Surroundings }): void {
  const { terminal } = around;
  const { spec } = job;
  const tasks = plan.tasks.map(({ steps, ...task }) => ({
    ...task,
    agents: steps.map((step) => (step.kind === "agent" ? step.agent.name : String(step.run))),
  }));
  if (format === "json") {
    terminal.print(JSON.stringify({ ...plan, tasks, base: spec.base }, null, 2));
    return;
  }
  const files = tasks.reduce((sum, task) => sum + task.files.length, 0);
  terminal.print(headline(job, { ...plan, files }));
  const rows = tasks.map((task) => [
    `  ${task.id}`,
    count(task.files.length, "file"),
    task.agents.join(", then "),
    oneLine(task.files.slice(0, 3).join(", ") + (task.files.length > 3 ? ", ..." : ""), 100),
  ]);
  for (const line of columns(rows)) terminal.print(line);
  for (const { path, reason } of plan.unsplit) terminal.print(`  left to nobody: ${oneLine(path, 80)}  (${reason})`);
  for (const check of spec.checks) {
    const expected = check.kind === "command" ? `  expect ${check.expect}` : "";
    terminal.print(`  check ${oneLine(check.name, 100)}${expected}`);
  }
}
