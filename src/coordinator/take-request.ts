import { asAsked } from "../job/as-asked.ts";
import { readJobRequest } from "../job/read-job-file.ts";
import { resolveJob } from "../job/resolve-job.ts";
import { resolveLocked } from "../job/resolve-locked.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobRequest } from "../protocol/job-request.ts";
import { exactBase, resolveBase } from "../workspace/base.ts";
import type { Repository } from "../workspace/repository.ts";
import { agentFilesAt } from "./brief/agent-files-at.ts";
import type { Equipment } from "./equipment.ts";
import type { JobOrder } from "./submit.ts";
import { type RepositoryRules, takeRepository } from "./take-repository.ts";

/**
 * A job that came from another process, made ready as `run` makes one ready that it reads itself: the file checked and
 * resolved, the repository open at one commit. Of this machine's disk only that repository is looked at. Throws Fault
 * for what is wrong with any of it.
 */
export async function takeRequest(
  request: JobRequest,
  rules: RepositoryRules,
  equipment: Pick<Equipment, "git" | "home">,
): Promise<JobOrder> {
  const source = readJobRequest(request);
  const repository = await takeRepository(request, rules, equipment);
  try {
    const base = await baseOf(request, repository);
    const { overrides, inputs, lock } = request;
    const agentFiles = agentFilesAt(repository, base.tree);
    const given = { base, overrides, inputs, agentFiles };
    const resolved = lock ? await resolveLocked(source, { ...given, lock }) : await resolveJob(source, given);
    const spec = asAsked(resolved, request);
    if (spec.publish.kind === "branch" && !("path" in request.repository)) throw onlyCopy();
    return { spec, repository };
  } catch (thrown) {
    await repository.close();
    throw thrown;
  }
}

/** A branch would be made in our copy, where nobody looks and the next fetch removes it. */
function onlyCopy(): Fault {
  return new Fault("usage", "publish: a branch needs the repository itself, and this server has only a copy of it", {
    remedy: "publish none, and take the result from /v1/jobs/{id}/bundle or /patch",
  });
}

async function baseOf({ ref = "HEAD", lock, is_dirty = false, ...request }: JobRequest, repository: Repository) {
  const commit = request.commit ?? lock?.base.commit;
  if (commit === undefined) return (await resolveBase(repository, ref, { includeDirty: false })).base;
  return { ...(await exactBase(repository, commit)), ref, is_dirty };
}
