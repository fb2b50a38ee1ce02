import { join } from "node:path";
import { findJob, type StoredJob } from "../db/find-job.ts";
import type { Event } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { Retrying } from "../protocol/retry.ts";
import type { Repository } from "../workspace/repository.ts";
import type { Equipment } from "./equipment.ts";
import { eventsOf } from "./resume/events-of.ts";
import type { JobOrder } from "./submit.ts";
import { type RepositoryRules, takeRepository } from "./take-repository.ts";

/**
 * A job that is over, as an order for the same once more: its specification as its log has it, its plan as it was made,
 * its base commit. It is a new job, and what succeeded is not done again: whoever runs it finds that by its key. Throws
 * Fault `conflict` while the job is not over, `usage` for a task it does not have, and what the repository throws.
 */
export async function retryOrder(
  job: StoredJob,
  asked: Retrying,
  { rules, ...equipment }: { rules: RepositoryRules } & Pick<Equipment, "git" | "home" | "database">,
): Promise<Pick<JobOrder, "spec" | "repository">> {
  if (job.state !== "finished") throw stillRuns(job);
  const events = await eventsOf(job.id, equipment.database);
  const spec = specIn(events, job);
  const fresh = freshOf(asked, events, job);
  const repository = await reopen(job, rules, equipment);
  if (await repository.objects.info(spec.base.commit)) {
    const { fresh: _, ...same } = spec;
    return { spec: { ...same, ...(fresh ? { fresh } : {}) }, repository };
  }
  await repository.close();
  throw new Fault("usage", `the base ${spec.base.commit} of ${job.handle} is not in ${job.repository} any more`, {
    remedy: `sheaf run --from ${job.handle} prints the job, to be run on another commit`,
  });
}

/** The same for whoever asks from another process: a patch is written there, with their own rights. */
export async function retakeJob(
  id: JobId,
  asked: Retrying,
  around: Parameters<typeof retryOrder>[2],
): Promise<Pick<JobOrder, "spec" | "repository">> {
  const job = await findJob(id, around.database);
  if (!job) throw new Fault("unknown_job", `there is no job ${id}`, { remedy: "sheaf list shows them all" });
  const { spec, repository } = await retryOrder(job, asked, around);
  const isPatch = spec.publish.kind === "patch";
  return { spec: isPatch ? { ...spec, publish: { kind: "patch" } } : spec, repository };
}

function stillRuns({ handle }: StoredJob): Fault {
  return new Fault("conflict", `${handle} is not over: there is nothing to do again yet`, {
    remedy: `wait for its end, or end it: sheaf cancel ${handle}`,
  });
}

/** With the plan that was made for it, which is neither paid nor decided once more. */
function specIn(events: readonly Event[], { handle }: StoredJob): JobSpec {
  const created = events.find((event) => event.type === "job.created");
  const planned = events.findLast((event) => event.type === "job.planned");
  if (!created)
    throw new Fault("usage", `the log of ${handle} does not say what it was to do`, { remedy: "run it again" });
  const { spec } = created.data;
  const isDrawn = planned?.data.plan !== undefined && !spec.is_plan_only;
  return isDrawn ? { ...spec, plan: planned.data.plan } : spec;
}

function freshOf(
  { tasks = [], fresh = false }: Retrying,
  events: readonly Event[],
  { handle }: StoredJob,
): JobSpec["fresh"] {
  if (fresh) return true;
  const known = new Set(
    events.flatMap((event) => (event.type === "job.planned" ? event.data.tasks.map(({ id }) => id as string) : [])),
  );
  const unknown = tasks.find((id) => !known.has(id));
  if (unknown === undefined) return tasks.length > 0 ? [...tasks] : undefined;
  throw new Fault("usage", `${handle} has no task ${JSON.stringify(unknown)}`, {
    remedy: `sheaf status ${handle} names its tasks`,
  });
}

/** Whoever may not name any folder reaches what the operator opened, and the copies that jobs of others came with. */
function reopen(
  { repository: path }: StoredJob,
  rules: RepositoryRules,
  { git, home }: Pick<Equipment, "git" | "home">,
): Promise<Repository> {
  const copies = [join(home, "fetched"), join(home, "bundled")];
  return takeRepository({ repository: { path } }, { ...rules, roots: [...rules.roots, ...copies] }, { git, home });
}
