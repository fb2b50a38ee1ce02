import { exitOfFailure, toFailure } from "../protocol/failure.ts";
import type { Result } from "../protocol/result.ts";
import type { Task } from "../protocol/task.ts";
import { endToolServers } from "./calls/tool-servers.ts";
import { SetupFailed } from "./commands/setup-failed.ts";
import { dispatch } from "./dispatch.ts";
import type { Equipment } from "./equipment.ts";
import { finish } from "./finish.ts";
import { type Job, JobStopped } from "./job.ts";
import { land } from "./land.ts";
import { keepPatches, nothingKept } from "./landing/keep-patches.ts";
import { nothingLanded } from "./landing/landing.ts";
import { PlanRefused } from "./plan/plan-refused.ts";
import type { Planning } from "./plan/planning.ts";
import { plan } from "./plan.ts";
import { publish } from "./publish.ts";
import { composeResult, type Ending } from "./result/compose-result.ts";
import { endLeft } from "./resume/end-runs.ts";

/**
 * The whole story of a job: split it, run the parts, fold their trees into one, check that tree, hand it over.
 * Whatever happens on the way, the job ends with exactly one outcome, in the log, with everything finished kept.
 */
export async function runJob(job: Job, equipment: Equipment): Promise<Result> {
  using _books = equipment.spread?.keepBooks(job);
  const story: Story = { tasks: [], unsplit: [], landing: nothingLanded, planning: { reports: [] } };
  try {
    // A plan that is in the log says what was finished; none is begun for a job that is to end.
    if (!job.history?.planned) job.signal.throwIfAborted();
    const { tasks, unsplit } = await plan(job, equipment, story.planning);
    story.unsplit = unsplit;

    if (!job.spec.is_plan_only) await carryOut(tasks, story, { job, equipment });
  } catch (thrown) {
    Object.assign(story, endingOf(thrown, job));
  }
  await endToolServers(job);
  // What is somebody else's has no end here.
  await job.standing.confirm();
  await endLeft(job, equipment);
  const kept = await keepPatches(story, job, equipment).catch((thrown: unknown) => ({
    ...nothingKept,
    ...endingOf(thrown, job),
  }));
  return finish(
    composeResult({ ...story, ...kept, job, spent: job.budget.total, endedAt: equipment.clock.now() }),
    job,
    equipment,
  );
}

type Told = "tasks" | "unsplit" | "landing" | "published" | "failure" | "rechecks" | "stopped" | "error";
type Story = Pick<Ending, Told> & { planning: Planning };

async function carryOut(
  tasks: readonly Task[],
  story: Story,
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<void> {
  const dispatched = await dispatch(tasks, job, equipment);
  story.tasks = dispatched.tasks;
  if ("thrown" in dispatched) throw dispatched.thrown;
  job.signal.throwIfAborted();

  await job.pausing.point();
  story.landing = await land(story.tasks, job, equipment);
  job.signal.throwIfAborted();

  await job.pausing.point();
  Object.assign(story, await publish(story, job, equipment));
}

/** A stop is an ending of its own, and so is a setup that fails or a plan that is none; everything else thrown here is Sheaf's own failure. */
function endingOf(thrown: unknown, job: Job): Pick<Ending, "stopped" | "error" | "failure"> {
  const cause = job.signal.aborted ? job.signal.reason : thrown;
  if (cause instanceof JobStopped) return { stopped: cause };
  if (cause instanceof SetupFailed || cause instanceof PlanRefused) return { failure: cause.reason };
  const reason = toFailure(cause);
  return { error: { reason, exit: exitOfFailure(reason) } };
}
