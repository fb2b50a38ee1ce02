import type { HeldWake } from "./queue.ts";

/**
 * What this node believes to hold, and for how long it may. It knows nothing of the database: it is told what was taken
 * and what the last touch found, and says what is missing and what nobody here knows.
 */
export interface Holds {
  /** Without what is on its way out. */
  readonly size: number;
  /** Nothing, on its way out or not. */
  readonly isEmpty: boolean;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** All that are not on their way out. */
  list(): HeldWake[];
  ending(): string[];
  /** Of all, on their way out or not. */
  ids(): ReadonlySet<string>;
  /** `askedAt` is when the statement was sent: the lease counts from there. */
  take(wakes: readonly HeldWake[], askedAt: number): void;
  /** On its way out: whether it went is seen by the next look, and it is not missed then. */
  end(ids: Iterable<string>): void;
  /** Not on its way out after all. */
  keep(ids: Iterable<string>): void;
  drop(ids: Iterable<string>): void;
  /**
   * `found`: all that the database has in this node's name. `before`: what was held when it was asked; what was taken
   * since it may not have seen.
   */
  touch(
    found: ReadonlySet<string>,
    asked: { at: number; before: ReadonlySet<string> },
  ): { lost: HeldWake[]; strays: string[] };
}

export function createHolds(leaseMs: number): Holds {
  const held = new Map<string, HeldWake>();
  const leaving = new Set<string>();
  let until = Number.NEGATIVE_INFINITY;
  const drop = (ids: Iterable<string>) => {
    for (const id of ids) {
      held.delete(id);
      leaving.delete(id);
    }
  };
  return {
    get size() {
      return held.size - leaving.size;
    },
    get isEmpty() {
      return held.size === 0;
    },
    get until() {
      return until;
    },
    list: () => [...held.values()].filter(({ id }) => !leaving.has(id)),
    ending: () => [...leaving],
    ids: () => new Set(held.keys()),
    take(wakes, askedAt) {
      // What was held before is held until its own touch; the first of all begins the lease.
      if (held.size === 0 && wakes.length > 0) until = askedAt + leaseMs;
      for (const wake of wakes) held.set(wake.id, wake);
    },
    end(ids) {
      for (const id of ids) if (held.has(id)) leaving.add(id);
    },
    keep(ids) {
      for (const id of ids) leaving.delete(id);
    },
    drop,
    touch(found, { at: askedAt, before }) {
      const missing = [...held.values()].filter(({ id }) => before.has(id) && !found.has(id));
      const lost = missing.filter(({ id }) => !leaving.has(id));
      drop(missing.map(({ id }) => id));
      until = askedAt + leaseMs;
      return { lost, strays: [...found].filter((id) => !held.has(id)) };
    },
  };
}
