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
  if (target === undefined) return undefined;
  await job.log([{ type: "publish.intended", data: { kind: wanted.kind, target } }]);
  await deliver(wanted, target, landing.commit, job);
  await job.log([{ type: "publish.finished", data: { kind: wanted.kind, target } }]);
  return wanted.kind === "patch" ? { patch_file: target } : { branch: target };
}

async function deliver({ kind }: Publish, target: string, commit: string, job: Job): Promise<void> {
  if (kind === "branch") return publishBranch(job.repository, { branch: target, commit, expected: null });
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, await patchOf(job.repository, job.spec.base.tree, commit));
}
