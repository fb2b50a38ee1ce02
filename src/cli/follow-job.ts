import type { JobOrder, SubmittedJob } from "../coordinator/coordinator.ts";
import { exitOf } from "../protocol/outcome.ts";
import type { Result } from "../protocol/result.ts";
import { askInPlace, showInPlace } from "./ask-in-place.ts";
import { followProgress } from "./progress.ts";
import type { Session, Surroundings } from "./session.ts";
import { count } from "./words.ts";

/** How a job is begun, by whoever does the work; each of its facts is handed to `hear`. */
export type Begin = (hear: NonNullable<JobOrder["onFact"]>) => Promise<SubmittedJob>;

export interface Following {
  /** Only hand it over. */
  isDetached: boolean;
  /** Somebody here may answer its questions. */
  isHeard: boolean;
  /** Its facts are printed as they come. */
  isStream: boolean;
}

/**
 * Begins a job and shows it to its end, whichever process does the work; a first signal cancels it. It knows nothing of
 * what the job is. undefined where it is detached.
 */
export async function followJob(
  begin: Begin,
  { isDetached, isHeard, isStream }: Following,
  { session, around }: { session: Session; around: Surroundings },
): Promise<Result | undefined> {
  const { terminal, now } = around;
  const { coordinator } = session;
  const progress = followProgress(terminal, now);
  const { keyboard } = terminal;
  const asking = keyboard && (isHeard ? askInPlace({ keyboard, progress, coordinator, now }) : showInPlace(progress));
  const submitted = await begin((runId, fact) => {
    progress.take(runId, fact);
    asking?.take(fact);
    if (isStream) terminal.print(JSON.stringify({ run_id: runId, ...fact }));
  });
  if (isDetached) {
    terminal.print(submitted.handle);
    return undefined;
  }
  if (submitted.isTakenUp) terminal.tell(`job    ${submitted.handle} is this very job: it goes on from where it was`);
  else if (!submitted.isNew) terminal.tell(`job    ${submitted.handle} was made by the same request before`);
  const signals = cancelOnSignal(submitted, { session, around });
  try {
    return asStopped(await submitted.done, signals.first());
  } finally {
    asking?.end();
    progress.end();
    signals.release();
  }
}

function cancelOnSignal({ id }: SubmittedJob, { session, around }: { session: Session; around: Surroundings }) {
  let stopped: "SIGINT" | "SIGTERM" | undefined;
  const { terminal } = around;
  const release = around.onSignal((signal) => {
    stopped = signal;
    terminal.tell(`${signal}: cancelling; finished work is kept. Once more to leave at once.`);
    // This process leaves, and whatever it works on for others is left to who comes next.
    const cancelled = Promise.all([session.coordinator.cancel(id, { signal }), session.own?.coordinator.handBack(id)]);
    // What cannot be cancelled is followed to its end; a second signal leaves.
    cancelled.catch((thrown: unknown) => terminal.tell(`warning it could not be cancelled: ${String(thrown)}`));
  });
  return { first: () => stopped, release };
}

/** Elsewhere a cancel is a request; here it was a signal, and the exit code says which. */
function asStopped(result: Result, signal: "SIGINT" | "SIGTERM" | undefined): Result {
  if (result.outcome !== "cancelled" || signal === undefined) return result;
  return { ...result, exit_code: exitOf("cancelled", { signal }) };
}

/** Other commands on this data folder may have given their jobs to this process; it stays for them. */
export async function waitForOthers({ own }: Session, { terminal, onSignal }: Surroundings): Promise<void> {
  if (!own || own.coordinator.running === 0) return;
  terminal.tell(`this job is done; ${count(own.coordinator.running, "job")} of other commands still run here`);
  const release = onSignal(() => void own.coordinator.handBack());
  await own.coordinator.idle();
  release();
}
