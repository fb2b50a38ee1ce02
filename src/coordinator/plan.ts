import { createTasks } from "../db/create-tasks.ts";
import { Fault } from "../protocol/failure.ts";
import type { CommandCheck } from "../protocol/job.ts";
import type { Finding } from "../protocol/part.ts";
import { planSplit, strategyOf } from "../split/plan-split.ts";
import type { Plan } from "../split/split-view.ts";
import { attribute, planSpan } from "../telemetry/semconv.ts";
import { observeCheck } from "../verify/run-checks.ts";
import { checkView } from "./check-view.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { type BaseQuestions, lookAtBase } from "./look-at-base.ts";
import { redactRecord } from "./redact-record.ts";
import { scanTree } from "./scan-tree.ts";

/** Looks at the base tree, splits the job, and logs the plan before anything is started. */
export async function plan(job: Job, equipment: Equipment): Promise<Plan> {
  const strategy = strategyOf(job.spec);
  const span = job.tracer.start(planSpan(strategy), { parent: job.span });
  try {
    const made = await previewPlan(job, {
      threads: equipment.threads,
      scan: (order) => scanTree(order, { repository: job.repository, signal: job.signal, equipment }),
      findings: (check) => findingsAtBase(check, { job, equipment }),
    });
    const tasks = made.tasks.map(({ steps: _, ...task }) => task);
    await job.log([{ type: "job.planned", data: { strategy, tasks, unsplit: made.unsplit } }]);
    await createTasks(job.id, made.tasks, equipment.database);
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
