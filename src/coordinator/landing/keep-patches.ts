import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { patchOf, statsOfMany } from "../../workspace/diff.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import type { Ending } from "../result/compose-result.ts";

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
  const done = tasks.flatMap(({ id, start, tree }) => (tree ? [{ id, from: start.tree, to: tree }] : []));
  const stats = await statsOfMany(job.repository, done);
  for (const [index, { id, from, to }] of done.entries()) {
    const { insertions = 0, deletions = 0 } = stats[index] ?? {};
    lines.set(id, { insertions, deletions });
    if (landing.landed.has(id)) continue;
    const file = join(folder, `${id}.patch`);
    await mkdir(folder, { recursive: true });
    await writeFile(file, await patchOf(job.repository, from, to));
    patches.set(id, file);
  }
  return { patches, lines };
}
