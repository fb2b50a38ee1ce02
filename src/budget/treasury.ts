import type { Failure } from "../protocol/failure.ts";
import type { Asked } from "./spent-elsewhere.ts";

/** Whoever keeps the books of a job, for one run of it that another process does. It is asked one call at a time. */
export interface Treasury {
  /**
   * Waits while others hold what may come back, or while nobody keeps the books. `notices`: what an agent is told of the
   * budgets it spends from, said again with each answer. Rejects with the signal's reason.
   */
  reserve(asked: Asked, signal?: AbortSignal): Promise<TreasuryAnswer>;
  /** The last call is over, and the run has spent so much in all; `wanted` is nothing. */
  settle(asked: Asked): void;
}

export type TreasuryAnswer = { granted: true; notices: readonly string[] } | { refused: Failure };
