import { minus } from "../../budget/account.ts";
import { sumOf } from "../../budget/job-budget.ts";
import type { Asked } from "../../budget/spent-elsewhere.ts";
import type { Event } from "../../protocol/event.ts";
import type { ModelDirectory } from "../gate/model-directory.ts";
import { usageIn } from "../result/open-runs.ts";

/**
 * What the log of a run says that another process does: what it has spent, and what its last call may take, which
 * somebody may have granted, whether or not it was still waiting for that. Each call is in the log before it is asked
 * for, so none that was granted is missing. Pure.
 */
export function heldBy(log: readonly Event[], models: ModelDirectory): Asked {
  const last = log.findLastIndex(({ type }) => type === "turn.started" || type === "turn.retried");
  const call = log[last];
  const all = log.filter(({ type }, at) => type !== "turn.waiting" || at < last);
  const spent = sumOf(usageIn(call ? [...log, neverWent(call)] : log, models));
  return { spent, wanted: minus(sumOf(usageIn(all, models)), spent) };
}

/** As if nobody had made it; what has an answer keeps it. */
function neverWent(call: Event): Event {
  const data = { turn: 0, reason: "it may not have gone", is_billed: false };
  return { ...call, type: "turn.failed", data };
}
