import type { JobSource } from "../job/job-source.ts";
import { jobOf } from "../job/read-job-file.ts";
import { Fault } from "../protocol/failure.ts";
import type { Base } from "../protocol/job.ts";
import type { PlanLock } from "../protocol/plan-lock.ts";
import type { Result } from "../protocol/result.ts";
import { askOnce } from "./ask-once.ts";
import { limitsLeft } from "./limits-left.ts";
import { asLocked } from "./locked-job.ts";
import { planLines, planningLine } from "./plan-view.ts";
import { type Asked, openJob } from "./read-job.ts";
import { type FollowOptions, type ReadJob, runToEnd } from "./run-to-end.ts";
import type { Session, Surroundings } from "./session.ts";
import { renderVerdict } from "./verdict.ts";
import { lockOf } from "./write-lock.ts";

interface Place {
  session: Session;
  around: Surroundings;
}

/** Has a job planned and does nothing else of it. `job` is open, and is over afterwards. */
export async function planOnly(job: ReadJob, options: FollowOptions, place: Place): Promise<Result> {
  const { idempotencyKey: _, ...rest } = options;
  const spec = { ...job.spec, is_plan_only: true };
  const result = await runToEnd({ ...job, spec }, { ...rest, planOnly: true, detach: false }, place);
  if (result) return result;
  throw new Fault("internal", "nobody waited for the plan");
}

/**
 * Plans first, shows what is to be done, and asks whoever sits here before anything of it is done: all of it, a sample of
 * three, or nothing. What is run is exactly the plan that was shown.
 */
export async function askThenRun(
  asked: Asked<FollowOptions>,
  job: ReadJob,
  { session, around }: Place,
): Promise<Result | undefined> {
  const { terminal, cwd } = around;
  const planned = await planOnly(job, asked.options, { session, around });
  if (planned.exit_code !== 0 || !planned.plan?.plan) return planned;
  for (const line of [...planLines(planned.plan), ...planningLine(planned)]) terminal.tell(line);
  const { base } = job.spec;
  const lock = await lockPlan(asked, planned, { base, around });
  const locked = await asLocked(lock, asked.options, { folder: cwd, cwd });
  const before = [planned];
  const run = async (more: Partial<FollowOptions>) => {
    const said = { ...asked.options, ...locked.options, ...more, base };
    const options = { ...said, ...limitsLeft(job.spec.limits, before, terminal) };
    const opened = await openJob(locked.source, options, around);
    return runToEnd({ ...opened, source: locked.source }, options, { session, around });
  };
  let answer = await askOnce("[r]un, [s]ample 3 first, [q]uit > ", ["r", "s", "q"], around);
  if (answer === "s") {
    const { idempotencyKey: _, ...rest } = asked.options;
    const sample = await run({ ...rest, sample: "3", publish: "none" });
    if (!sample || sample.outcome === "cancelled") return sample;
    before.push(sample);
    for (const line of renderVerdict(sample, terminal, { isFull: true })) terminal.tell(line);
    answer = await askOnce("[r]un all of it, the sample once more with it, [q]uit > ", ["r", "q"], around);
    if (answer !== "r") return sample;
  }
  return answer === "r" ? run({}) : planned;
}

/**
 * `base` is what the plan was made of, wherever its ref leads by now. The repository is opened once more: the one of the
 * plan's job is closed with it.
 */
export async function lockPlan(
  { source, options: said, file }: Asked<FollowOptions>,
  { plan, job }: Result,
  { base, around }: { base: Base; around: Surroundings },
): Promise<PlanLock> {
  const options = { ...said, base };
  const kept = withoutLeftOut(source, plan?.base_checks ?? [], around);
  const { spec, repository } = await openJob(kept, options, around);
  try {
    const made = { plannedBy: job.handle, plan: plan?.plan, forecast: plan?.forecast };
    return await lockOf({ source: kept, options, spec, repository, ...made }, file, around.cwd);
  } finally {
    await repository.close();
  }
}

/** A check that was found and cannot be run is no part of the job any more. */
function withoutLeftOut(
  source: JobSource,
  checks: readonly { run: string; is_left_out?: boolean | undefined }[],
  { cwd }: Surroundings,
): JobSource {
  const gone = new Set(checks.filter(({ is_left_out }) => is_left_out).map(({ run }) => run));
  const { checks: written } = source.file;
  if (gone.size === 0 || !written) return source;
  const left = written.filter((check) => typeof check === "string" || !gone.has(check.run ?? ""));
  const { checks: _, ...rest } = source.written;
  return jobOf({ ...rest, ...(left.length > 0 ? { checks: left } : {}) }, { name: source.name, said: "--prompt", cwd });
}
