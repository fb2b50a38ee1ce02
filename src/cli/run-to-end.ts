import type { JobSource } from "../job/job-source.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { Result } from "../protocol/result.ts";
import type { Repository } from "../workspace/repository.ts";
import { canAnswer } from "./can-answer.ts";
import { followJob } from "./follow-job.ts";
import { idempotencyOf, requestOf } from "./job-as-request.ts";
import { modeHere } from "./permission-mode.ts";
import type { JobOptions } from "./read-job.ts";
import type { Session, Surroundings } from "./session.ts";
import { takeHome } from "./take-home.ts";

/** A job that was read and resolved here, on its way to whoever does the work. */
export interface ReadJob {
  source: JobSource;
  spec: JobSpec;
  repository: Repository;
}

export interface FollowOptions extends JobOptions {
  idempotencyKey?: string;
  /** Only hand the job over. */
  detach?: boolean;
  outputFormat: string;
}

/**
 * Hands a job over and follows it to its end, whichever process does the work; a first signal cancels it. undefined with
 * `--detach`.
 */
export async function runToEnd(
  given: ReadJob,
  options: FollowOptions,
  { session, around }: { session: Session; around: Surroundings },
): Promise<Result | undefined> {
  const { terminal, config } = around;
  const isDetached = options.detach === true;
  const isHeard = isDetached || terminal.keyboard === undefined || (await canAnswer(session));
  const job = withMode(given, { isDetached, isHeard, session, around });
  warnOfSandbox(job, { session, around });
  if (options.detach) refuseDetached(job.spec, session);
  const { coordinator } = session;
  const idempotency = await idempotencyOf(job, options, session);
  const following = { isDetached, isHeard, isStream: options.outputFormat === "stream-json" };
  const result = await followJob(
    (onFact) =>
      coordinator.submit({
        ...job,
        traceparent: config.traceparent,
        idempotency,
        request: (putBundle) => requestOf(job, options, { session, putBundle }),
        onFact,
      }),
    following,
    { session, around },
  );
  return result && takeHome(result, job.spec, { session, around });
}

/** Who is asked is known only here: whether anybody sits at this terminal, and who does the work. */
function withMode(job: ReadJob, at: Parameters<typeof modeHere>[1]): ReadJob {
  const { permissions } = job.spec;
  const { mode, warning } = modeHere(permissions.mode, at);
  if (warning) at.around.terminal.tell(`warning ${warning}`);
  return mode === undefined ? job : { ...job, spec: { ...job.spec, permissions: { ...permissions, mode } } };
}

function warnOfSandbox({ spec }: ReadJob, { session, around }: { session: Session; around: Surroundings }): void {
  const hasCommand = spec.checks.some((check) => check.kind === "command");
  if (!hasCommand || session.own?.settings.sandbox.mode !== "external") return;
  around.terminal.tell(
    "warning sandbox.mode is external: commands run as you, on the operator's word that this is a sandbox",
  );
}

/** Whoever leaves cannot do what is to be done at the end. */
function refuseDetached({ publish }: JobSpec, { own, reach }: Session): void {
  if (own) throw nobodyStays();
  if (publish.kind === "none" || (publish.kind === "branch" && reach === "socket")) return;
  throw new Fault("usage", `--detach: the ${publish.kind} would be published from here, at the job's end`, {
    remedy: "leave out --detach, or publish none and use `sheaf apply` or `sheaf diff` when it is done",
  });
}

function nobodyStays(): Fault {
  return new Fault("usage", "--detach: this process would do the work itself, and it is leaving", {
    remedy: "start `sheaf serve` on this data folder, or name a server with --server",
  });
}
