import type { JobSource } from "../job/job-source.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobSpec } from "../protocol/job.ts";
import { exitOf } from "../protocol/outcome.ts";
import type { Result } from "../protocol/result.ts";
import type { Repository } from "../workspace/repository.ts";
import { askInPlace, showInPlace } from "./ask-in-place.ts";
import { canAnswer } from "./can-answer.ts";
import { idempotencyOf, requestOf } from "./job-as-request.ts";
import { modeHere } from "./permission-mode.ts";
import { followProgress } from "./progress.ts";
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
  const { terminal, config, now } = around;
  const isDetached = options.detach === true;
  const isHeard = isDetached || terminal.keyboard === undefined || (await canAnswer(session));
  const job = withMode(given, { isDetached, isHeard, session, around });
  warnOfSandbox(job, { session, around });
  if (options.detach) refuseDetached(job.spec, session);
  const progress = followProgress(terminal, now);
  const { keyboard } = terminal;
  const { coordinator } = session;
  const asking = keyboard && (isHeard ? askInPlace({ keyboard, progress, coordinator, now }) : showInPlace(progress));
  const isStream = options.outputFormat === "stream-json";
  const submitted = await coordinator.submit({
    ...job,
    traceparent: config.traceparent,
    idempotency: await idempotencyOf(job, options, session),
    request: (putBundle) => requestOf(job, options, { session, putBundle }),
    onFact(runId, fact) {
      progress.take(runId, fact);
      asking?.take(fact);
      if (isStream) terminal.print(JSON.stringify({ run_id: runId, ...fact }));
    },
  });
  if (options.detach) {
    terminal.print(submitted.handle);
    return undefined;
  }
  if (submitted.isTakenUp) terminal.tell(`job    ${submitted.handle} is this very job: it goes on from where it was`);
  else if (!submitted.isNew) terminal.tell(`job    ${submitted.handle} was made by the same request before`);
  let stopped: "SIGINT" | "SIGTERM" | undefined;
  const release = around.onSignal((signal) => {
    stopped = signal;
    terminal.tell(`${signal}: cancelling; finished work is kept. Once more to leave at once.`);
    // This process leaves, and whatever it works on for others is left to who comes next.
    const cancelled = Promise.all([
      session.coordinator.cancel(submitted.id, { signal }),
      session.own?.coordinator.handBack(submitted.id),
    ]);
    // What cannot be cancelled is followed to its end; a second signal leaves.
    cancelled.catch((thrown: unknown) => terminal.tell(`warning it could not be cancelled: ${String(thrown)}`));
  });
  try {
    return await takeHome(asStopped(await submitted.done, stopped), job.spec, { session, around });
  } finally {
    asking?.end();
    progress.end();
    release();
  }
}

/** Who is asked is known only here: whether anybody sits at this terminal, and who does the work. */
function withMode(job: ReadJob, at: Parameters<typeof modeHere>[1]): ReadJob {
  const { permissions } = job.spec;
  const { mode, warning } = modeHere(permissions.mode, at);
  if (warning) at.around.terminal.tell(`warning ${warning}`);
  return mode === undefined ? job : { ...job, spec: { ...job.spec, permissions: { ...permissions, mode } } };
}

/** Elsewhere a cancel is a request; here it was a signal, and the exit code says which. */
function asStopped(result: Result, signal: "SIGINT" | "SIGTERM" | undefined): Result {
  if (result.outcome !== "cancelled" || signal === undefined) return result;
  return { ...result, exit_code: exitOf("cancelled", { signal }) };
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
