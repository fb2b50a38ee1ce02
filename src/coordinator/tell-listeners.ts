import type { Fact } from "../protocol/event.ts";
import type { JobId } from "../protocol/ids.ts";
import type { Equipment } from "./equipment.ts";

/**
 * Told every fact of every job of this process, once it is stored: the operator's log, webhooks. It is no part of the
 * job: it must not throw, and nothing waits for it.
 */
export type JobListener = (job: ToldJob, runId: string, fact: Fact) => void;

export interface ToldJob {
  id: JobId;
  traceId: string;
}

export function tellListeners(
  { listeners }: Pick<Equipment, "listeners">,
  told: { job: ToldJob; runId: string; facts: readonly Fact[] },
): void {
  for (const listener of listeners ?? []) {
    for (const fact of told.facts) listener(told.job, told.runId, fact);
  }
}
