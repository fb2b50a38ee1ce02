import type { Job } from "../job.ts";
import type { FinishedRun } from "../tasks/step-order.ts";
import { mostLonelyDeaths } from "../tasks/until-it-lives.ts";
import type { PastRun } from "./history.ts";
import { restoreRun } from "./run-record.ts";

/** What came of a step before this process had its job. */
export interface StepBefore {
  done?: FinishedRun;
  /** A run that this one goes on with. */
  open?: PastRun;
  /** Runs that came to nothing. */
  attempts: number;
  /** Deaths of threads that its run was alone in. */
  lonelyDeaths: number;
}

/** A run that began from another tree is none of this step's. `isSpread`: runs of other nodes may be waited for. */
export async function stepBefore(
  { task, ordinal, tree }: { task: string; ordinal: number; tree: string },
  { history, repository }: Job,
  { isSpread }: { isSpread: boolean },
): Promise<StepBefore> {
  const past = history?.runOf(task, ordinal);
  if (!past || past.started.base_tree !== tree) return { attempts: past?.attempt ?? 0, lonelyDeaths: 0 };
  const lonelyDeaths = history?.lonelyDeaths(task, ordinal) ?? 0;
  const done = await restoreRun(past, repository);
  const isOver = done && (!done.hasThreadDied || lonelyDeaths >= mostLonelyDeaths);
  if (isOver) return { done, attempts: past.attempt, lonelyDeaths };
  const goesOn = past.claimed !== undefined || (past.isElsewhere && isSpread);
  if (goesOn) return { open: past, attempts: past.attempt - 1, lonelyDeaths };
  return { attempts: past.attempt, lonelyDeaths };
}
