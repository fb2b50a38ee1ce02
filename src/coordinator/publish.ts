import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Reason } from "../protocol/result.ts";
import { patchOf } from "../workspace/diff.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";
import { foundIn } from "./landing/found-published.ts";
import { publishAsBranch } from "./landing/publish-as-branch.ts";
import type { Ending } from "./result/compose-result.ts";

/**
 * Brings a landed result into the user's world, and nowhere before: the intent is logged first. Nothing that is red or
 * unverified is published; `sheaf apply` can still take an unverified result home by hand.
 */
export type Published = Pick<Ending, "published" | "failure" | "rechecks">;

export async function publish(
  { tasks, landing }: Pick<Ending, "tasks" | "landing">,
  job: Job,
  equipment: Equipment,
): Promise<Published> {
  const { publish: wanted } = job.spec;
  const { tree, commit, landed } = landing;
  if (wanted.kind === "none" || tree === null || commit === null) return {};
  const inside = tasks.filter((task) => landed.has(task.id));
  const checks = [...landing.checks, ...inside.flatMap((task) => task.checks)];
  if (checks.some((check) => check.state === "unverified")) return {};
  const target = wanted.kind === "patch" ? wanted.file : wanted.name;
  if (target === undefined) return {};
  const { kind } = wanted;
  const before = await publishedBefore(target, job);
  if (before) return before;
  await job.log([{ type: "publish.intended", data: { kind, target } }]);
  const done =
    kind === "patch"
      ? await writePatch(target, commit, job)
      : await publishAsBranch(wanted, { tree, commit, tasks: inside }, { job, equipment });
  const failure = done.failure ?? done.skipped;
  await job.log([
    { type: "publish.finished", data: { kind, target, ...(failure ? { failure: plain(failure) } : {}) } },
  ]);
  const { skipped: _, ...told } = done;
  return told.failure ? { ...told, failure: await withPatch(told.failure, commit, { job, equipment }) } : told;
}

/** By a process before this one: what it announced and did is not done again. A patch file may be half, and is. */
async function publishedBefore(target: string, job: Job): Promise<Published | undefined> {
  const { events = [] } = job.history ?? {};
  const last = events.findLast((event) => event.type === "publish.intended" || event.type === "publish.finished");
  if (last?.data.target !== target) return undefined;
  const published = await foundIn(events, { id: job.id, repository: job.repository });
  if (!published) return undefined;
  const { kind } = last.data;
  if (last.type === "publish.intended") await job.log([{ type: "publish.finished", data: { kind, target } }]);
  return { published };
}

/** What delivering came to; `skipped` says why nothing was to be done. */
export type Delivered = Published & { skipped?: Reason };

async function writePatch(file: string, commit: string, job: Job): Promise<Delivered> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, await patchOf(job.repository, job.spec.base.tree, commit));
  return { published: { patch_file: file } };
}

function plain({ code, message, remedy }: Reason) {
  return { code, message, ...(remedy ? { remedy } : {}) };
}

/** The work is done and could not be handed over as asked: it stays within reach. */
async function withPatch(
  failure: Reason,
  commit: string,
  { job, equipment }: { job: Job; equipment: Equipment },
): Promise<Reason> {
  const file = join(equipment.home, "patches", job.handle, "result.patch");
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, await patchOf(job.repository, job.spec.base.tree, commit));
  const kept = `the change is kept: sheaf diff ${job.handle}, or ${file}`;
  return { ...failure, remedy: failure.remedy ? `${failure.remedy}; ${kept}` : kept };
}
