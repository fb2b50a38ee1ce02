import { findSettled } from "../../db/find-approval.ts";
import { findOver, findSaidTo } from "../../db/spread-runs.ts";
import { takeRequests } from "../../db/store-request.ts";
import { type JobId, type RunId, runId } from "../../protocol/ids.ts";
import type { Equipment } from "../equipment.ts";
import type { Standing } from "../standing.ts";
import type { Guest } from "./guests.ts";

/** A run of another process's job that this one does. */
export interface UnderWay {
  runId: RunId;
  jobId: JobId;
  guest: Guest;
  standing: Standing;
  signal: AbortSignal;
  giveUp(why: string): void;
  cancel(why: string): void;
}

/**
 * What is asked of runs that are done here: by the owners of their jobs, which end them, and by people, who answer their
 * questions and speak to their agents. One statement of each kind for all.
 */
export async function heedRuns(underWay: readonly UnderWay[], { clock, database }: Equipment): Promise<void> {
  const byRun = new Map<string, UnderWay>(underWay.map((each) => [each.runId, each]));
  const asked = underWay.map((each) => each.runId);
  for (const request of await takeRequests(asked, clock, database)) {
    if (request.kind === "cancel") byRun.get(request.runId)?.cancel(request.why);
  }
  const guests = new Map(underWay.map(({ jobId, guest }) => [jobId, guest]));
  const jobs = [...guests.keys()].map((id) => runId.parse(id));
  for (const [root, said] of Map.groupBy(await findSaidTo(jobs, database), ({ run_id }) => run_id)) {
    guests.get(root as JobId)?.hear(said);
  }
  const all = [...new Set(guests.values())].map(({ job }) => job.questions);
  const open = all.flatMap(({ ids }) => ids);
  for (const approval of open.length > 0 ? await findSettled(open, database) : []) {
    for (const questions of all) questions.tell(approval);
  }
  const over = await findOver(jobs, database);
  for (const each of underWay) if (over.has(each.jobId)) each.giveUp("its job is over");
}
