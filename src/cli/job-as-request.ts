import { createHash } from "node:crypto";
import { operatorName } from "../access/token.ts";
import { agentFilesAt } from "../coordinator/brief/agent-files-at.ts";
import { inlineJob } from "../job/inline-job.ts";
import { inputWords } from "../job/resolve-inputs.ts";
import { Fault } from "../protocol/failure.ts";
import { type JobRequest, jobRequest } from "../protocol/job-request.ts";
import { withBundle } from "../workspace/outgoing-bundle.ts";
import { overridesOf } from "./overrides-of.ts";
import { askedOf } from "./read-job.ts";
import type { FollowOptions, ReadJob } from "./run-to-end.ts";
import type { Session } from "./session.ts";
import { refuseUnpublishable } from "./take-home.ts";

/** A job as it travels to whoever does the work, and what makes the same one twice one job. */

/**
 * The same key is the same job whoever holds the data folder: this process names the request as its own server would,
 * asked at the socket. A server elsewhere has names of its own for it.
 */
export async function idempotencyOf(
  job: ReadJob,
  options: FollowOptions,
  session: Session,
): Promise<{ key: string; sha256: string } | undefined> {
  const { idempotencyKey: key } = options;
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new Fault("usage", "--idempotency-key: it must be 1 to 200 characters of visible ASCII", {
      remedy: "use the id of the CI run, such as $GITHUB_RUN_ID",
    });
  }
  // Only the key goes along to another process, which looks at the request itself.
  if (session.reach !== "own") return { key, sha256: "" };
  const request = await requestOf(job, options, { session, putBundle: async () => {} });
  const sha256 = createHash("sha256")
    .update(JSON.stringify(jobRequest.parse(request)))
    .digest("hex");
  return { key: `${operatorName}/${key}`, sha256 };
}

/** Over the network the commit travels along, and the branch is made here; on this machine the repository is named. */
export async function requestOf(
  { source, spec, repository }: ReadJob,
  options: FollowOptions,
  { session, putBundle }: { session: Session; putBundle: (file: string, sha256: string) => Promise<void> },
): Promise<JobRequest> {
  const agentFiles = agentFilesAt(repository, spec.base.tree);
  const given = { overrides: options, inputs: inputWords(options.input ?? []), agentFiles };
  const { request } = await inlineJob(source, given);
  const { ref, commit, is_dirty, repository: path } = spec.base;
  const overrides = overridesOf({ ...options, permissionMode: spec.permissions.mode });
  const { lock } = options;
  const asked = {
    ...request,
    inputs: inputWords(options.input ?? []),
    overrides,
    ...askedOf(options),
    ...(lock ? { lock } : {}),
    ref,
    commit,
    is_dirty,
  };
  if (session.reach !== "server") return { ...asked, repository: { path } };
  await refuseUnpublishable(spec, repository);
  return withBundle(repository, commit, async ({ file, sha256 }) => {
    await putBundle(file, sha256);
    const isBranch = spec.publish.kind === "branch";
    const there = isBranch ? { ...asked.overrides, publish: "none" } : asked.overrides;
    return { ...asked, overrides: there, repository: { bundle: sha256 } };
  });
}
