import type { Clock, JobId, RunId } from "../protocol/ids.ts";
import { attempt } from "./attempt.ts";
import type { Database, Orm } from "./database.ts";
import { and, eq, inArray, sql } from "./drizzle.ts";
import { runs } from "./schema.ts";

/** The right to append to a run's log and to end it; gone as soon as somebody claims the run again. */
export interface ClaimedRun {
  runId: RunId;
  jobId: JobId;
  epoch: number;
  /** The seq of its newest fact; 0 for an empty log. */
  head: number;
}

/**
 * Makes `owner` (the name of a node) the run's owner. undefined when the run is not in one of the states `from`:
 * somebody else has it, or it is over. Take `running` in only for a run whose owner is known to be dead. `isGiven`: asked
 * in the same transaction whether it still is the caller's to claim; who was frozen before this takes it from nobody.
 */
export async function claimRun(
  { isGiven, ...claim }: Claim & { isGiven?: ((orm: Orm) => Promise<boolean>) | undefined },
  clock: Clock,
  database: Database,
): Promise<ClaimedRun | undefined> {
  const work = claiming(claim, clock);
  if (!isGiven) return attempt("claim a run", database, work);
  const within = async (orm: Orm) => ((await isGiven(orm)) ? work(orm) : undefined);
  return attempt("claim a run", database, (orm) => orm.transaction(within));
}

interface Claim {
  runId: RunId;
  owner: string;
  from?: readonly ("queued" | "waiting" | "running")[];
}

function claiming(claim: Claim, clock: Clock): (orm: Orm) => Promise<ClaimedRun | undefined> {
  const startedAt = new Date(clock.now()).toISOString();
  return async (orm) => {
    // A repeat after a lost acknowledgement finds the run in its own hands, and raises the epoch once more.
    const mine = sql`(${runs.state} = 'running' and ${runs.owner} = ${claim.owner} and ${runs.startedAt} = ${startedAt})`;
    const [row] = await orm
      .update(runs)
      .set({
        epoch: sql`${runs.epoch} + 1`,
        state: "running",
        owner: claim.owner,
        startedAt: sql`${startedAt}::timestamptz`,
      })
      .where(and(eq(runs.id, claim.runId), sql`(${inArray(runs.state, [...(claim.from ?? fresh)])} or ${mine})`))
      .returning({ jobId: runs.jobId, epoch: runs.epoch, head: runs.head });
    return row && { runId: claim.runId, jobId: row.jobId as JobId, epoch: row.epoch, head: row.head };
  };
}

const fresh = ["queued", "waiting"] as const;
