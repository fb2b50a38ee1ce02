import { join } from "node:path";
import { claimRun } from "../db/claim-run.ts";
import { closeSpans } from "../db/close-spans.ts";
import { assumeReserved } from "../db/day-budget.ts";
import { listJobs, type StoredJob } from "../db/find-job.ts";
import { finishJob } from "../db/finish-job.ts";
import { eventPage, readJobEvents } from "../db/read-events.ts";
import { withdrawApprovals } from "../db/settle-approval.ts";
import type { Event, Fact } from "../protocol/event.ts";
import { runId } from "../protocol/ids.ts";
import { removeDrafts } from "../workspace/prepared-files.ts";
import { removeFolder } from "../workspace/remove-folder.ts";
import { removeStaleRecords } from "../workspace/stale-records.ts";
import { resolvedFact } from "./approvals/approval-decision.ts";
import type { Equipment } from "./equipment.ts";
import { foundPublished } from "./landing/found-published.ts";
import { interruptedResult } from "./result/interrupted-result.ts";
import { usedInOpenRuns } from "./result/open-runs.ts";
import { clearAway } from "./tasks/clear-away.ts";
import { tellListeners } from "./tell-listeners.ts";

/**
 * With an embedded database, whoever opens it is alone: a job that still runs has lost its process. It is ended in
 * the log with what it had finished, so that it never looks alive; taking it up again comes with durable runs.
 */
export async function recover(equipment: Equipment): Promise<void> {
  const { database, home } = equipment;
  // A check's checkout holds nothing that is not in a tree. Workspaces are left: what is in them may be nowhere else.
  await clearAway({ dispose: () => removeFolder(join(home, "checkouts")) }, equipment);
  // Sockets of commands whose process is gone.
  await clearAway({ dispose: () => removeFolder(join(home, "sandbox", "network")) }, equipment);
  await clearAway({ dispose: () => removeDrafts(join(home, "setups")) }, equipment);
  await clearAway({ dispose: () => removeStaleRecords(join(home, "repositories")) }, equipment);
  if (equipment.spending.day) await assumeReserved(database);
  const jobs = await listJobs({ limit: mostInterrupted, state: "running" }, database);
  for (const job of jobs) await endInterrupted(job, equipment);
}

/** No process runs as many at a time. */
const mostInterrupted = 100_000;

async function endInterrupted(job: StoredJob, equipment: Equipment): Promise<void> {
  const { clock, database, node } = equipment;
  const claim = { runId: runId.parse(job.id), owner: node, from: ["queued", "waiting", "running"] as const };
  const root = await claimRun(claim, clock, database);
  if (!root) return;
  const events = await allEvents(job, database);
  const published = await foundPublished(job, events, equipment);
  const result = interruptedResult(job, events, { endedAt: clock.now(), published });
  const { outcome, exit_code, reason } = result;
  const failure = { code: "interrupted", message: reason?.message ?? "interrupted" };
  const withdrawn = (await withdrawApprovals(job.id, clock, database)).map(resolvedFact);
  const facts: Fact[] = [...withdrawn, { type: "job.finished", data: { outcome, exit_code, result } }];
  await closeSpans(job.id, "the process that recorded it ended", database);
  await finishJob(root, { outcome, result, failure, facts, used: usedInOpenRuns(events) }, clock, database);
  tellListeners(equipment, { job, runId: job.id, facts });
}

async function allEvents(job: StoredJob, database: Equipment["database"]): Promise<Event[]> {
  const all: Event[] = [];
  for (let after = 0; ; ) {
    const page = await readJobEvents(job.id, after, database);
    all.push(...page.map(({ event }) => event));
    if (page.length < eventPage) return all;
    after = page.at(-1)?.pos ?? after;
  }
}
