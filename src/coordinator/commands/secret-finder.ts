import type { JobSpec } from "../../protocol/job.ts";
import { createSecretFinder } from "../../telemetry/redact.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { reachesOf } from "../tasks/steps-of.ts";

/**
 * Finds a secret of a job in what its commands leave, in any form that would be hidden from a log: such a file is put
 * back and the command has failed, since a tree is published and kept, and all commands can read its objects.
 */
export function secretFinder({
  job,
  equipment,
}: {
  job: Job;
  equipment: Equipment;
}): ((text: string | Buffer) => boolean) | undefined {
  const values = secretsOf(job.spec, equipment);
  return values.length === 0 ? undefined : createSecretFinder(values);
}

/** All that the job names anywhere: what its setup was given may be met again in a later command. */
function secretsOf(spec: JobSpec, { ceiling }: Equipment): string[] {
  const names = new Set(reachesOf(spec).flatMap(({ secrets = [] }) => secrets));
  return [...names].flatMap((name) => (Object.hasOwn(ceiling.secrets, name) ? (ceiling.secrets[name] ?? []) : []));
}
