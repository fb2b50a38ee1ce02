import { Fault } from "../../protocol/failure.ts";
import type { BaseCheck, PlannedJob } from "../../protocol/plan.ts";
import type { RunReport } from "../../protocol/thread.ts";
import { checkPlan } from "../../split/check-plan.ts";
import { withPlan } from "../../split/planned-tasks.ts";
import type { Span } from "../../telemetry/thread-tracer.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { lookAtChecks } from "./base-checks.ts";
import { problemText } from "./decide-plan.ts";
import { type BaseQuestions, lookAtBase } from "./look-at-base.ts";
import { lookUpWrites } from "./look-up-writes.ts";
import { planByAgent } from "./plan-by-agent.ts";
import { planGround } from "./plan-ground.ts";

/** What a planned job goes on with. */
export interface Drawn {
  plan: PlannedJob;
  /** Absent where the plan was made before. */
  baseChecks?: BaseCheck[];
}

interface Around {
  job: Job;
  equipment: Equipment;
  span: Span;
  planning: { reports: RunReport[] };
}

/**
 * Gives a job that is to be planned its tasks: those of the plan it brings along, or of one that is made now. Undefined
 * for all other jobs. Throws Fault `job_file` for a plan brought along that cannot be carried out.
 */
export async function drawUp(questions: BaseQuestions, around: Around): Promise<Drawn | undefined> {
  const { job, equipment, span, planning } = around;
  if (job.spec.split.by !== "planner" || job.spec.tasks.length > 0) return undefined;
  const view = await lookAtBase(job.spec, job.repository, questions);
  const brought = job.spec.plan;
  const baseChecks = brought ? undefined : await lookAtChecks(job, equipment);
  const { spec } = job;
  const ground = planGround({ spec, view, ceiling: equipment.ceiling, sandbox: await equipment.sandbox() });
  if (brought) await lookUpWrites(brought, view, equipment.clock.now);
  if (brought) refuseBroken(checkPlan(brought, ground));
  const ran = (report: RunReport) => void planning.reports.push(report);
  const plan = brought ?? (await planByAgent({ ground, baseChecks: baseChecks ?? [], span, ran }, { job, equipment }));
  job.spec = withPlan(spec, plan, view);
  return { plan, ...(baseChecks ? { baseChecks } : {}) };
}

function refuseBroken(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new Fault("job_file", problemText(problems), { remedy: "plan again: sheaf plan -o FILE" });
}
