import { mayOverlap } from "../../permission/write-overlap.ts";
import type { JobSpec } from "../../protocol/job.ts";
import type { PathPattern, Rule } from "../../protocol/scope.ts";
import type { Task } from "../../protocol/task.ts";

/**
 * What tasks under way may write to. Two that could write the same path never run at the same time, whatever it is that
 * lets them: the writes of both, or a rule of the job that widens all of them. Whoever holds a lease comes to an end, so
 * nobody waits for ever.
 */
export class Leases {
  readonly #widened: readonly PathPattern[];
  readonly #held = new Map<Task["id"], Area>();
  readonly #areas = new Map<Task["id"], Area>();

  constructor({ permissions, limits }: Pick<JobSpec, "permissions"> & { limits?: Pick<JobSpec["limits"], "depth"> }) {
    // What may be given to agents that are started counts where any can be.
    const given = (limits?.depth ?? 1) > 1 ? (permissions.grant ?? []) : [];
    this.#widened = [...permissions.allow, ...given].flatMap(editedBy);
  }

  isFree(task: Task): boolean {
    const area = this.#areaOf(task);
    return ![...this.#held.values()].some((held) => area.every((one) => held.every((other) => mayOverlap(one, other))));
  }

  take(task: Task): void {
    this.#held.set(task.id, this.#areaOf(task));
  }

  release(task: Task): void {
    this.#held.delete(task.id);
  }

  #areaOf(task: Task): Area {
    const known = this.#areas.get(task.id) ?? areaOf(task, this.#widened);
    this.#areas.set(task.id, known);
    return known;
  }
}

/** A path may be written where every one of these covers it. */
type Area = readonly (readonly PathPattern[])[];

/** What every step may write to at most narrows what the task may. */
function areaOf({ writes, steps }: Task, widened: readonly PathPattern[]): Area {
  const narrow = steps.flatMap((step) => step.writes ?? []);
  const isNarrowed = steps.length > 0 && steps.every((step) => step.writes !== undefined);
  return [[...writes, ...widened], ...(isNarrowed ? [narrow] : [])];
}

function editedBy(rule: Rule): PathPattern[] {
  return rule.tool === "Edit" ? [rule.paths] : [];
}
