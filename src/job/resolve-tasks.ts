import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import { Fault } from "../protocol/failure.ts";
import type { NamedTask } from "../protocol/job.ts";
import type { WrittenTask } from "../protocol/job-file-step.ts";
import { resolvePaths } from "./resolve-pattern.ts";
import { resolveStep } from "./resolve-step.ts";
import type { Resolving } from "./resolving.ts";

/** The long form of tasks. What they need must be there and must not lead in a circle. */
export async function resolveTasks(written: readonly WrittenTask[], resolving: Resolving): Promise<NamedTask[]> {
  const tasks = await resolving.faults.all(written, (task, index) => namedTask(task, index, resolving));
  const known = new Map(written.map((task, index) => [task.id, { task, index }]));
  await resolving.faults.all(written, (task, index) => refuseNeeds(task, index, known, resolving));
  await resolving.faults.all([known], () => refuseCircle(known, resolving));
  return tasks;
}

async function namedTask(task: WrittenTask, index: number, resolving: Resolving): Promise<NamedTask> {
  const path = ["tasks", index];
  const steps = await resolving.faults.all(task.steps, (step, at) =>
    resolveStep(step, [...path, "steps", at], { hasItem: true }, resolving),
  );
  const items = await resolvePaths(task.items ?? [], [...path, "items"], resolving);
  const writes = await resolvePaths(task.writes ?? [], [...path, "writes"], resolving);
  const needs = task.needs ? { needs: [...new Set(task.needs)] } : {};
  if (task.writes === undefined) return { id: task.id, ...needs, writes: items, steps };
  return { id: task.id, ...needs, writes, ...(task.items ? { items } : {}), steps };
}

type Known = ReadonlyMap<string, { task: WrittenTask; index: number }>;

function refuseNeeds({ id, needs = [] }: WrittenTask, index: number, known: Known, { place }: Resolving): void {
  for (const [at, need] of needs.entries()) {
    const where = place(["tasks", index, "needs", at]);
    if (need === id) {
      throw new Fault("job_file", `${where}: the task ${quoted(id)} needs itself`, { remedy: "leave that out" });
    }
    if (known.has(need)) continue;
    const ids = [...known.keys()].filter((other) => other !== id);
    const meant = nearest(need, ids);
    const others = ids.length > 0 ? `the other tasks are ${ids.slice(0, 20).join(", ")}` : "there is no other task";
    throw new Fault("job_file", `${where}: there is no task ${quoted(need)}`, {
      remedy: meant ? `did you mean ${quoted(meant)}?` : others,
    });
  }
}

function refuseCircle(known: Known, { place }: Resolving): void {
  const circle = circleIn(known, stuckIn(known));
  const [first] = circle;
  if (first === undefined) return;
  const where = place(["tasks", known.get(first)?.index ?? 0, "needs"]);
  const way = [...(circle.length > 8 ? [...circle.slice(0, 7), "..."] : circle), first];
  throw new Fault("job_file", `${where}: these tasks need each other in a circle: ${way.join(" -> ")}`, {
    remedy: "leave out one of these needs, or make one task of them",
  });
}

/** Takes away tasks whose needs are gone until nothing more goes: what stays is in a circle, or needs one. */
function stuckIn(known: Known): ReadonlySet<string> {
  const needs = new Map<string, Set<string>>();
  const neededBy = new Map<string, string[]>();
  for (const [id, { task }] of known) {
    const others = new Set(task.needs?.filter((need) => known.has(need) && need !== id));
    needs.set(id, others);
    for (const need of others)
      neededBy
        .set(need, neededBy.get(need) ?? [])
        .get(need)
        ?.push(id);
  }
  const ready = [...needs].filter(([, left]) => left.size === 0).map(([id]) => id);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    needs.delete(id);
    for (const next of neededBy.get(id) ?? []) {
      const left = needs.get(next);
      if (left?.delete(id) && left.size === 0) ready.push(next);
    }
  }
  return new Set(needs.keys());
}

/** Every task left needs one that is left, so going on must come back to one that was seen. */
function circleIn(known: Known, left: ReadonlySet<string>): string[] {
  const way: string[] = [];
  const seen = new Map<string, number>();
  let [id] = left;
  while (id !== undefined && !seen.has(id)) {
    seen.set(id, way.length);
    way.push(id);
    id = known.get(id)?.task.needs?.find((need) => left.has(need) && need !== way.at(-1));
  }
  return id === undefined ? [] : way.slice(seen.get(id));
}
