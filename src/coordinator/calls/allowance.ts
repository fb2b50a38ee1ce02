import { UnfitFact } from "../../db/fact-rows.ts";

/**
 * How much one run may leave in the store. It is far more than any run needs that gets somewhere: what comes to it is a
 * run that does not end by itself, and it ends here, as failed, by the name of the limit.
 */
export interface Allowance {
  /** Throws UnfitFact for the first fact too many. */
  facts(count: number): void;
  /** Of texts that are kept beside the log. Throws UnfitFact before the bytes that are too many are stored. */
  bytes(count: number): void;
}

export const mostFacts = 100_000;
export const mostKeptBytes = 256 * 2 ** 20;

export function openAllowance(most: { facts: number; bytes: number }): Allowance {
  let [facts, bytes] = [0, 0];
  return {
    facts(count) {
      facts += count;
      if (facts > most.facts) throw new UnfitFact(`a run may write ${most.facts} events, and this one wrote more`);
    },
    bytes(count) {
      bytes += count;
      if (bytes <= most.bytes) return;
      throw new UnfitFact(`a run may keep ${most.bytes} bytes of texts beside its log, and this one was to keep more`);
    },
  };
}
