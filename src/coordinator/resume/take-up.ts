import { type ClaimedRun, claimRun } from "../../db/claim-run.ts";
import type { Orm } from "../../db/database.ts";
import { findRemembered } from "../../db/find-approval.ts";
import type { StoredJob } from "../../db/find-job.ts";
import { pausedAmong, resumedAt } from "../../db/pauses.ts";
import { findSpread } from "../../db/spread-runs.ts";
import { findSaid, wasAskedToCancel } from "../../db/store-request.ts";
import { takeOverRuns } from "../../db/take-over.ts";
import type { Event, FactData } from "../../protocol/event.ts";
import { type Failure, toFailure } from "../../protocol/failure.ts";
import { runId } from "../../protocol/ids.ts";
import type { JobSpec } from "../../protocol/job.ts";
import type { HeldWake } from "../../queue/queue.ts";
import { openRepository, type Repository } from "../../workspace/repository.ts";
import type { Equipment } from "../equipment.ts";
import { resumeTrace } from "../job-trace.ts";
import { type JobGround, type StartedJob, startJob } from "../start-job.ts";
import { tellListeners } from "../tell-listeners.ts";
import { clearTaken } from "./clear-taken.ts";
import { endInterrupted } from "./end-interrupted.ts";
import { endOthers, goingOn } from "./end-runs.ts";
import { eventsOf } from "./events-of.ts";
import { type History, readHistory } from "./history.ts";
import { usedBefore } from "./used-before.ts";
import { withdrawLeft } from "./withdraw-left.ts";

/**
 * Goes on with a job whose process is gone: from its log, and from nothing else. What has a result is not done again, and
 * from the first statement on nobody who still believes to own it can write. A job that cannot go on (its repository is
 * not there) is ended as what it is, with all that was finished.
 */
export interface TakenUp {
  started: StartedJob;
  repository: Repository;
  /** Of its tasks. */
  done: number;
  planned: number;
}

/**
 * Undefined where somebody else was first, the job came to its end here at once, or another node may be able to do what
 * this one cannot: `wake` is how this one has it, among others.
 */
export async function takeUp(
  job: StoredJob,
  { onFact, wake }: { onFact: JobGround["onFact"]; wake?: HeldWake | undefined },
  equipment: Equipment,
): Promise<TakenUp | undefined> {
  const { database } = equipment;
  const isAsked = await wasAskedToCancel(runId.parse(job.id), database);
  if (!isAsked && (await pausedAmong([job.id], database)).size > 0) return undefined;
  // In full before anything is claimed: what this version cannot read is left to whoever can.
  const log = await readLog(job, isAsked, database);
  const ground = "impossible" in log ? log : await groundOf(job, log.events, equipment);
  if ("impossible" in ground && wake && !isAsked) return undefined;
  const before = "events" in log ? log.events : undefined;
  let taken: TakenUp | undefined;
  try {
    taken = await claimAndGoOn(job, { onFact, wake, isAsked, ground, before }, equipment);
    return taken;
  } finally {
    if (!taken && "repository" in ground) await ground.repository.close();
  }
}

type Ground = { spec: JobSpec; repository: Repository } | { impossible: Failure };

async function claimAndGoOn(
  job: StoredJob,
  { onFact, wake, isAsked, ground, before }: Wanted,
  equipment: Equipment,
): Promise<TakenUp | undefined> {
  const { clock, database, node, jobs } = equipment;
  const isGiven = wake && jobs && ((orm: Orm) => jobs.isHeld(wake, orm));
  const claim = { runId: runId.parse(job.id), owner: node, from: ["queued", "waiting", "running"] as const, isGiven };
  const root = await claimRun(claim, clock, database);
  if (!root) return undefined;
  const isOver = isAsked || "impossible" in ground;
  const open = await takeOverRuns(job.id, node, database, { isAll: isOver });
  const spread = await findSpread(job.id, database);
  // With what its old owner has appended meanwhile.
  const events = before ? [...before, ...(await eventsOf(job.id, database, before.length))] : [];
  if ("impossible" in ground) {
    const reason = ground.impossible;
    await endInterrupted({ job, root, events, open, reason, isCancelled: isAsked, wake }, equipment);
    return undefined;
  }
  const { spec, repository } = ground;
  const all = readHistory(events, open, spread);
  const going = isAsked ? new Map<string, ClaimedRun>() : goingOn(all, spec);
  // Before all else that is said now: what lies between two owners is nobody's time.
  await equipment.writer.append(root, [{ type: "job.resumed", data: { epoch: root.epoch } }]);
  await forgetOthers(job, events, { root, going: [...going.keys(), ...spread], equipment });
  await endOthers(all, going, equipment);
  await clearTaken(events, equipment);
  const history = readHistory(events, going, spread);
  const trace = await resumeTrace(job, notTaken(history.elsewhere, open), equipment);
  const said = await findSaid(root.runId, database);
  const answers = await findRemembered(job.id, database);
  const own = { id: job.id, root, handle: job.handle, ...trace, history, said, answers, wake, isCancelled: isAsked };
  const times = {
    startedAt: job.createdAt.getTime(),
    usedMs: usedBefore(events, await resumedAt(root.runId, database)),
  };
  // Its process may have gone between the request and the end that it asked for.
  const isAskedSince = !isAsked && (await wasAskedToCancel(root.runId, database));
  const started = startJob({ ...own, ...times }, { spec, repository, onFact }, equipment);
  if (isAskedSince) started.cancel();
  return { started, repository, ...progressOf(history) };
}

/** Where the job is ended, those were taken from whoever had them as well. */
function notTaken(elsewhere: ReadonlySet<string>, open: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  return new Set([...elsewhere].filter((id) => !open.has(id)));
}

function progressOf({ tasks, planned }: History): Pick<TakenUp, "done" | "planned"> {
  return { done: tasks.size, planned: planned?.tasks.length ?? 0 };
}

interface Wanted {
  onFact: JobGround["onFact"];
  wake: HeldWake | undefined;
  /** To end. */
  isAsked: boolean;
  ground: Ground;
  /** Its log before it was claimed; absent where that cannot be read. */
  before: readonly Event[] | undefined;
}

/** A job that was asked to end does so without its log, where that cannot be read. */
async function readLog(
  { id }: StoredJob,
  isAsked: boolean,
  database: Equipment["database"],
): Promise<{ events: readonly Event[] } | { impossible: Failure }> {
  try {
    return { events: await eventsOf(id, database) };
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (isAsked && failure.code === "database_newer") return { impossible: failure };
    throw thrown;
  }
}

async function groundOf(job: StoredJob, events: readonly Event[], { home, git }: Equipment): Promise<Ground> {
  const created = events.find((event) => event.type === "job.created");
  const { spec } = (created?.data as FactData<"job.created"> | undefined) ?? {};
  if (!spec) return { impossible: { code: "interrupted", message: "its log does not say what it was to do" } };
  try {
    const repository = await openRepository(job.repository, { home, git });
    if (await repository.objects.info(spec.base.commit)) return { spec, repository };
    await repository.close();
    return { impossible: { code: "interrupted", message: `its base ${spec.base.commit} is not in ${job.repository}` } };
  } catch (thrown) {
    return { impossible: toFailure(thrown) };
  }
}

/** Nobody waits for an answer to them; what still has to be known is asked again. Questions of runs that go on stay open. */
async function forgetOthers(
  job: StoredJob,
  events: readonly Event[],
  of: { root: ClaimedRun; going: readonly string[]; equipment: Equipment },
): Promise<void> {
  const { root, going, equipment } = of;
  const facts = await withdrawLeft({ of: { jobId: job.id }, by: root, events, except: going }, equipment);
  if (facts.length === 0) return;
  await equipment.writer.append(root, facts);
  tellListeners(equipment, { job, runId: job.id, facts });
}
