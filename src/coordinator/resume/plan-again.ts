import { createTasks } from "../../db/create-tasks.ts";
import { fillStep } from "../../job/fill-step.ts";
import type { FactData } from "../../protocol/event.ts";
import type { Task } from "../../protocol/task.ts";
import { stepsAsPlanned } from "../../split/planned-tasks.ts";
import type { Plan } from "../../split/split-view.ts";
import { plannerId } from "../../split/task-ids.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { type Planning, planningUsage } from "../plan/planning.ts";

/**
 * The plan that a job's log holds, as it was: whoever takes the job up neither splits it nor has it planned again, so that
 * what was finished stays the work of the same tasks.
 */
export async function planAgain(
  planned: FactData<"job.planned">,
  planning: Planning,
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<Plan> {
  const { strategy, unsplit, plan, base_checks, forecast } = planned;
  const stepsOf = stepsAsPlanned(job.spec, plan);
  const tasks = planned.tasks.map((task): Task => {
    const whole = { ...task, steps: stepsOf(task.id) };
    return { ...whole, steps: whole.steps.map((step) => fillStep(step, whole)) };
  });
  if (plan?.land === "together") job.spec = { ...job.spec, land: "together" };
  if (plan || job.spec.is_plan_only) {
    const report = job.history?.runOf(plannerId, 0)?.finished;
    if (report) planning.reports.push(report);
    planning.shown = {
      strategy,
      ...(plan ? { plan } : {}),
      tasks: tasks.map(({ id, title, files, needs }) => ({ id, title, files: files.length, needs })),
      ...(base_checks ? { base_checks } : {}),
      ...(forecast ? { forecast } : {}),
      ...planningUsage(planning, job.budget.spentOf(plannerId)),
    };
  }
  // It may have gone between the log and the rows.
  if (!job.spec.is_plan_only) await createTasks(job.id, tasks, equipment.database);
  return { strategy, tasks, unsplit };
}
