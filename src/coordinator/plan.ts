import { createTasks } from "../db/create-tasks.ts";
import type { CommandCheck } from "../protocol/check.ts";
import type { FactData } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import type { Finding } from "../protocol/part.ts";
import type { JobPlan } from "../protocol/plan.ts";
import { planSplit, strategyOf } from "../split/plan-split.ts";
import type { Plan } from "../split/split-view.ts";
import { plannerId } from "../split/task-ids.ts";
import { attribute, planSpan } from "../telemetry/semconv.ts";
import { observeCheck } from "../verify/run-checks.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { checkView } from "./landing/check-view.ts";
import { type Drawn, drawUp } from "./plan/draw-up.ts";
import { jobForecast } from "./plan/job-forecast.ts";
import { type BaseQuestions, lookAtBase } from "./plan/look-at-base.ts";
import { type Planning, planningUsage } from "./plan/planning.ts";
import { scanTree } from "./plan/scan-tree.ts";
import { redactRecord } from "./result/redact-record.ts";
import { planAgain } from "./resume/plan-again.ts";

/**
 * Looks at the base tree, has the job planned where it asks for that, splits it, and logs the plan before anything is
 * started. The job goes on with the tasks of its plan.
 */
export async function plan(job: Job, equipment: Equipment, planning: Planning): Promise<Plan> {
  const { planned } = job.history ?? {};
  if (planned) return planAgain(planned, planning, { job, equipment });
  const strategy = strategyOf(job.spec);
  const span = job.tracer.start(planSpan(strategy), { parent: job.span });
  const questions: BaseQuestions = {
    threads: equipment.threads,
    scan: (order) => scanTree(order, { repository: job.repository, signal: job.signal, equipment }),
    findings: (check) => findingsAtBase(check, { job, equipment }),
  };
  try {
    const drawn = await drawUp(questions, { job, equipment, span, planning });
    const made = await previewPlan(job, questions);
    const tasks = made.tasks.map(({ steps: _, ...task }) => task);
    if (drawn || job.spec.is_plan_only) planning.shown = await showPlan(made, drawn, { job, equipment, planning });
    await job.log([{ type: "job.planned", data: { strategy, tasks, unsplit: made.unsplit, ...factOf(planning) } }]);
    if (!job.spec.is_plan_only) await createTasks(job.id, made.tasks, equipment.database);
    span.set({ [attribute.tasks]: tasks.length });
    span.end();
    return made;
  } finally {
    span.end({ status: "error", message: "no plan" });
  }
}

function factOf({ shown = { strategy: "", tasks: [] } }: Planning): Partial<FactData<"job.planned">> {
  const { plan: drawn, base_checks, forecast } = shown;
  return {
    ...(drawn ? { plan: drawn } : {}),
    ...(base_checks ? { base_checks } : {}),
    ...(forecast ? { forecast } : {}),
  };
}

async function showPlan(
  { strategy, tasks }: Plan,
  drawn: Drawn | undefined,
  { job, equipment, planning }: { job: Job; equipment: Equipment; planning: Planning },
): Promise<JobPlan> {
  return {
    strategy,
    ...(drawn ? { plan: drawn.plan } : {}),
    tasks: tasks.map(({ id, title, files, needs }) => ({ id, title, files: files.length, needs })),
    ...(drawn?.baseChecks ? { base_checks: drawn.baseChecks } : {}),
    forecast: await jobForecast(tasks, job, equipment),
    ...planningUsage(planning, job.budget.spentOf(plannerId)),
  };
}

/** The same plan without a trace of it: what `sheaf plan` shows. Throws Fault `job_file` for what cannot be split. */
export async function previewPlan(
  { spec, repository }: Pick<Job, "spec" | "repository">,
  questions: BaseQuestions,
): Promise<Plan> {
  return planSplit(spec, await lookAtBase(spec, repository, questions));
}

/** The check runs as it will at the end, after those before it. Throws Fault `job_file` where it says nothing. */
async function findingsAtBase(
  check: CommandCheck,
  around: { job: Job; equipment: Equipment },
): Promise<readonly Finding[]> {
  const { checks, base } = around.job.spec;
  const before = checks.slice(0, checks.indexOf(check)).flatMap((one) => (one.kind === "command" ? [one] : []));
  const seen = await observeCheck(check, { before, tree: base.tree }, checkView(around));
  const report = seen?.report;
  const reason = !report ? "it has no report" : "unreadable" in report ? report.unreadable : report.incomplete;
  if (report && "findings" in report && reason === undefined) {
    return redactRecord(report.findings, around.equipment.redact);
  }
  throw new Fault(
    "job_file",
    `split: the findings of ${JSON.stringify(check.name)} at the base cannot be read: ${reason}`,
    {
      remedy: `run the check by hand and look at its report${seen?.tail ? `; it ended with: ${seen.tail.slice(-300)}` : ""}`,
    },
  );
}
