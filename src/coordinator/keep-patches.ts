import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { patchOf, statsOf } from "../workspace/diff.ts";
import type { Ending } from "./compose-result.ts";
import type { Equipment } from "./equipment.ts";
import type { Job } from "./job.ts";

type Kept = Pick<Ending, "patches" | "lines">;

export const nothingKept: Kept = { patches: new Map(), lines: new Map() };

/** Work that did not land is written out as a patch a person can read and apply: nothing finished is thrown away. */
export async function keepPatches(
  { tasks, landing }: Pick<Ending, "tasks" | "landing">,
  job: Job,
  { home }: Equipment,
): Promise<Kept> {
  const patches = new Map<string, string>();
  const lines = new Map<string, { insertions: number; deletions: number }>();
  const folder = join(home, "patches", job.handle);
  for (const task of tasks) {
    if (!task.tree) continue;
    const { insertions, deletions } = await statsOf(job.repository, job.spec.base.tree, task.tree);
    lines.set(task.id, { insertions, deletions });
    if (landing.landed.has(task.id)) continue;
    const file = join(folder, `${task.id}.patch`);
    await mkdir(folder, { recursive: true });
    await writeFile(file, await patchOf(job.repository, job.spec.base.tree, task.tree));
    patches.set(task.id, file);
  }
  return { patches, lines };
}
