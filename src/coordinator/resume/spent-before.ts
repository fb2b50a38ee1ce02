import type { Event } from "../../protocol/event.ts";
import type { SpentBefore } from "../gate/gate-order.ts";
import type { ModelDirectory } from "../gate/model-directory.ts";
import { cachedBy } from "../gate/open-gate.ts";
import { usageIn } from "../result/open-runs.ts";

/** What the log of a run says of its spending, for the gate of whoever goes on with it. Pure. */
export function spentBefore(events: readonly Event[], models: ModelDirectory): SpentBefore {
  const last = events.findLast((event) => event.type === "turn.finished");
  const told = events.flatMap((event) =>
    event.type === "run.notified" && event.data.kind === "budget" ? [event.data.text] : [],
  );
  return {
    spent: usageIn(events, models),
    cached: last?.type === "turn.finished" ? cachedBy(last.data.usage) : 0,
    notices: new Set(told),
  };
}
