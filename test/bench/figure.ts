/** One row of the table of figures: how it is measured, and what a measurement says. */
export interface Figure {
  /** What `npm run bench -- NAME` calls it. */
  name: string;
  /** What is compared with what. */
  title: string;
  /** Throws when it cannot be measured here; a goal that is missed is an ordinary reading. */
  measure(bench: Bench): Promise<Reading[]>;
}

export interface Bench {
  /** An empty folder, removed afterwards. */
  directory: string;
  /** Fewer repetitions: shows that everything still measures, not how fast it is. */
  isQuick: boolean;
}

export interface Reading {
  /** What was measured, and against which baseline. */
  what: string;
  value: number;
  /** `x`: a ratio to the baseline. */
  unit: "x" | "s" | "ms" | "MB";
  /** Absent: shown for what it is, no goal was set. */
  goal?: { is: "<=" | ">="; limit: number };
  /** Which statistic of how many pairs, and how far the pairs lie apart. */
  statistic: string;
  /** Both sides in absolute terms. */
  absolute: string;
}

export function isMet({ value, goal }: Reading): boolean {
  if (!goal) return true;
  return goal.is === "<=" ? value <= goal.limit : value >= goal.limit;
}
