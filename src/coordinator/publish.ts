import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Publish } from "../protocol/job.ts";
import type { Result } from "../protocol/result.ts";
import { patchOf } from "../workspace/diff.ts";
import { publishBranch } from "../workspace/publish.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import type { Landing } from "./landing.ts";

/**
 * Brings a landed result into the user's world, and nowhere before: the intent is logged first. Nothing that is red
 * or unverified is published; `sheaf apply` can still take an unverified result home by hand.
 */
export async function publish(landing: Landing, job: Job, _equipment: Equipment): Promise<Result["published"]> {
  const { publish: wanted } = job.spec;
  if (wanted.kind === "none" || landing.commit === null) return undefined;
  if (landing.checks.some((check) => check.state === "unverified")) return undefined;
  const target = wanted.kind === "patch" ? wanted.file : wanted.name;
  await job.log([{ type: "publish.intended", data: { kind: wanted.kind, target } }]);
  await deliver(wanted, landing.commit, job);
  await job.log([{ type: "publish.finished", data: { kind: wanted.kind, target } }]);
  return wanted.kind === "patch" ? { patch_file: wanted.file } : { branch: wanted.name };
}

async function deliver(wanted: Exclude<Publish, { kind: "none" }>, commit: string, job: Job): Promise<void> {
  if (wanted.kind === "branch") return publishBranch(job.repository, { branch: wanted.name, commit, expected: null });
  await mkdir(dirname(wanted.file), { recursive: true });
  await writeFile(wanted.file, await patchOf(job.repository, job.spec.base.tree, commit));
}
