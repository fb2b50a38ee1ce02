import type { JobSpec } from "../protocol/job.ts";
import type { LockedPart } from "../protocol/part.ts";
import type { Task } from "../protocol/task.ts";
import type { Part } from "./split-view.ts";
import { afterId, beforeId } from "./task-ids.ts";

/** Parts of a split as a lock holds them. The steps around all parts are no part: they come from the job again. */
export function partsToLock(tasks: readonly Task[], { before, after }: JobSpec): LockedPart[] {
  const isAround = (id: string) => (before.length > 0 && id === beforeId) || (after.length > 0 && id === afterId);
  return tasks
    .filter(({ id }) => !isAround(id))
    .map(({ id, title, item, needs, files, writes, findings }) => ({
      ...{ id, title, item, files, writes },
      needs: needs.filter((need) => !isAround(need)),
      ...(findings ? { findings } : {}),
    }));
}

/** The same parts again, with the steps that the job has for them. */
export function lockedParts(parts: readonly LockedPart[], { each, tasks }: JobSpec): Part[] {
  const known = new Map(tasks.map((task) => [task.id, task]));
  return parts.map((part): Part => {
    const task = known.get(part.id);
    return { ...part, steps: task?.steps ?? each, ...(task?.checks ? { own_checks: task.checks } : {}) };
  });
}
