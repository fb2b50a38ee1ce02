/**
 * Decides what a conversation loses when it no longer fits its context. It never gives up the opening, never parts a call
 * from its result, and leaves the newest turn.
 */

/**
 * How a request is made from a log. `whole`: nothing is left out. `oldest_first`: when it has to be shorter, results
 * become pointers, then turns are left out, until `keep` of its size is left; the last `recent` turns are touched only
 * if that is not enough.
 */
export type Policy = { strategy: "whole" } | { strategy: "oldest_first"; keep: number; recent: number };

/** A deep cut seldom: every cut costs the whole prompt cache. */
export const defaultPolicy: Policy = { strategy: "oldest_first", keep: 0.5, recent: 3 };

/** In characters. What is left out or pointed at already counts no more. */
export interface Sizes {
  opening: number;
  /** Oldest first. `results` are those that can become pointers, and a part of `size`. */
  turns: readonly TurnSize[];
}

export interface TurnSize {
  size: number;
  results: readonly { id: string; size: number }[];
}

/** Ids of results to point at, and how many of the oldest turns to leave out. Pure. */
export interface Shortening {
  point: readonly string[];
  drop: number;
}

/** A pointer is about this long: nothing shorter is worth one. */
export const pointerSize = 200;

export function planShortening({ opening, turns }: Sizes, policy: Policy): Shortening {
  if (policy.strategy === "whole") return { point: [], drop: 0 };
  const total = turns.reduce((sum, { size }) => sum + size, opening);
  const cut: Cut = { point: [], drop: 0, excess: total * (1 - policy.keep) };
  const old = turns.slice(0, Math.max(0, turns.length - Math.max(1, policy.recent)));
  const pointed = old.map((turn) => pointAt(turn, cut));
  for (const [index, turn] of old.entries()) {
    if (cut.excess <= 0) break;
    cut.excess -= turn.size - (pointed[index] ?? 0);
    cut.drop = index + 1;
  }
  for (const turn of turns.slice(old.length)) pointAt(turn, cut);
  return { point: cut.point, drop: cut.drop };
}

interface Cut {
  point: string[];
  drop: number;
  /** Characters that are still too many. */
  excess: number;
}

/** Returns what it saved. */
function pointAt({ results }: TurnSize, cut: Cut): number {
  let saved = 0;
  for (const { id, size } of results) {
    if (cut.excess <= 0) break;
    if (size <= pointerSize) continue;
    cut.point.push(id);
    cut.excess -= size - pointerSize;
    saved += size - pointerSize;
  }
  return saved;
}
