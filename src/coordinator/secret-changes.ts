import type { JobSpec } from "../protocol/job.ts";
import { createSecretFinder } from "../telemetry/redact.ts";
import type { Change, Version } from "../workspace/diff.ts";
import { type RawPath, toShown } from "../workspace/raw-path.ts";
import type { Objection } from "../workspace/settle.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { reachesOf } from "./steps-of.ts";

/**
 * What of a command's changes holds a secret of its job, in any form that would be hidden from a log: such a file is put
 * back and the command has failed, since a tree is published and kept. One that holds it already is left to its author.
 */
export async function secretObjections(
  changes: readonly Change[],
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<Map<RawPath, Objection>> {
  const values = secretsOf(job.spec, equipment);
  const objections = new Map<RawPath, Objection>();
  if (values.length === 0) return objections;
  const holds = createSecretFinder(values);
  const isHeldIn = async (path: RawPath, version: Version | null) =>
    version !== null && (holds(toShown(path)) || holds((await contentOf(version, job)) ?? ""));
  for (const { path, before, after } of changes) {
    if ((await isHeldIn(path, after)) && !(await isHeldIn(path, before))) objections.set(path, objection);
  }
  return objections;
}

const objection: Objection = {
  rule: "secret",
  source: "sheaf",
  reason: "it holds a secret that the operator keeps; let the command read it from its environment",
};

async function contentOf({ mode, oid }: Version, { repository }: Job): Promise<Buffer | undefined> {
  return mode === "160000" ? undefined : repository.objects.read(oid);
}

/** All that the job names anywhere: what its setup was given may be met again in a later command. */
function secretsOf(spec: JobSpec, { ceiling }: Equipment): string[] {
  const names = new Set(reachesOf(spec).flatMap(({ secrets = [] }) => secrets));
  return [...names].flatMap((name) => (Object.hasOwn(ceiling.secrets, name) ? (ceiling.secrets[name] ?? []) : []));
}
