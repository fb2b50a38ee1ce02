import type { Failure } from "../../protocol/failure.ts";
import type { BaseCheck, PlannedJob } from "../../protocol/plan.ts";
import type { AgentStep } from "../../protocol/step.ts";
import type { Task } from "../../protocol/task.ts";
import type { RunReport } from "../../protocol/thread.ts";
import { checkPlan, type PlanGround } from "../../split/check-plan.ts";
import { plannerId } from "../../split/task-ids.ts";
import type { Span } from "../../telemetry/thread-tracer.ts";
import type { Equipment } from "../equipment.ts";
import { type Job, JobStopped } from "../job.ts";
import { isLimit } from "../result/judge-task.ts";
import { runStep } from "../run-step.ts";
import type { StepOrder } from "../tasks/step-order.ts";
import { runUntilItLives } from "../tasks/until-it-lives.ts";
import { type HandedIn, problemText } from "./decide-plan.ts";
import { lookUpWrites } from "./look-up-writes.ts";
import { plannerScope } from "./plan-ground.ts";
import { plannerPrompt } from "./plan-prompt.ts";
import { PlanRefused } from "./plan-refused.ts";
import { plannerBefore } from "./planner-before.ts";

/**
 * Has an agent study the base and say which tasks there are: a run like any other, with a scope that only reads. What it
 * hands in is judged here, comes back to it once with every problem, and is refused the second time.
 */
export interface PlanOrder {
  ground: PlanGround;
  baseChecks: readonly BaseCheck[];
  /** What the run's trace hangs from. */
  span: Span;
  /** Told each run, whatever came of it. */
  ran(report: RunReport): void;
}

/** Throws `PlanRefused` where no plan comes of it, and the job's stop. */
export async function planByAgent(
  order: PlanOrder,
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<PlannedJob> {
  const step = plannerStep(order, job);
  const verdict: Verdict = { judged: 0, problems: [] };
  const judgePlan = judging(verdict, order.ground, equipment.clock.now);
  const scope = plannerScope(step.agent, { spec: job.spec, ceiling: equipment.ceiling });
  const task = { ...plannerTask, steps: [step] };
  const wanted = { task, step, ordinal: 0, tree: job.spec.base.tree, scope, parent: order.span, judgePlan };
  const before = await plannerBefore(job, judgePlan);
  if (before.done) order.ran(before.done.report);
  const run = async (each: StepOrder) => {
    const ended = await runStep(each, job, equipment);
    order.ran(ended.report);
    return ended;
  };
  const { report } = before.done ?? (await runUntilItLives(wanted, before, { run, signal: job.signal })).run;
  job.signal.throwIfAborted();
  if (verdict.taken) return verdict.taken;
  throw endOf(verdict, report);
}

/** Plans that are looked at: the first, and its repair. */
const mostJudged = 2;

const plannerTask: Omit<Task, "steps"> = {
  id: plannerId,
  ordinal: 0,
  title: "Plan the work",
  item: {},
  needs: [],
  files: [],
  writes: [],
};

function plannerStep({ ground, baseChecks }: PlanOrder, { spec }: Job): AgentStep {
  const { planner } = spec;
  if (planner) return { kind: "agent", agent: planner, prompt: plannerPrompt(ground, baseChecks) };
  throw new PlanRefused({
    code: "plan",
    message: "the job is to be planned, and nobody is named who plans",
    remedy: "write prompt: and model: in the job file",
  });
}

interface Verdict {
  judged: number;
  /** Of the last plan. */
  problems: readonly string[];
  taken?: PlannedJob;
}

function judging(verdict: Verdict, ground: PlanGround, now: () => number) {
  return async (handedIn: HandedIn, stop: (failure: Failure) => void) => {
    verdict.judged += 1;
    verdict.problems = "planned" in handedIn ? await problemsOf(handedIn.planned, ground, now) : handedIn.unreadable;
    if ("planned" in handedIn && verdict.problems.length === 0) verdict.taken = handedIn.planned;
    else if (verdict.judged >= mostJudged) stop(refusal(verdict));
    return verdict.problems;
  };
}

async function problemsOf(planned: PlannedJob, ground: PlanGround, now: () => number): Promise<readonly string[]> {
  await lookUpWrites(planned, ground.view, now);
  return checkPlan(planned, ground);
}

function refusal({ judged, problems }: Verdict): Failure {
  return {
    code: "plan",
    message: `${judged > 1 ? "also when it was corrected, " : ""}${problemText(problems)}`,
    remedy: "say in the prompt what may be edited, name a stronger model for the planner, or write tasks: by hand",
  };
}

/** What a person asked for is refused with the problems of the plan; a limit stays a limit. */
function endOf(verdict: Verdict, report: RunReport | undefined): Error {
  const failure = report?.failure;
  if (failure && isLimit(failure))
    return new JobStopped("limit", { ...failure, message: `planning: ${failure.message}` });
  if (verdict.problems.length > 0) return new PlanRefused(refusal(verdict));
  if (failure) return new PlanRefused({ ...failure, message: `the planner failed: ${failure.message}` });
  const said = report?.submission?.refused ?? report?.submission?.summary;
  return new PlanRefused({
    code: "plan",
    message: `the planner ended without a plan${said ? `; it said: ${said.slice(0, 1_000)}` : ""}`,
    remedy: "look at its run with sheaf logs; a model that calls no tools cannot plan",
  });
}
