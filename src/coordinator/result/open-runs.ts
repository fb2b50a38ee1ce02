import type { Spent } from "../../budget/job-budget.ts";
import { worstCostOf } from "../../model/cost.ts";
import type { Event } from "../../protocol/event.ts";
import type { ModelDirectory } from "../gate/model-directory.ts";
import { spentIn, type WorstCost } from "./result-usage.ts";

/** What the log of one run says that it used, with the price of what nobody answered. */
export function usageIn(events: readonly Event[], models: ModelDirectory): Spent {
  return spentIn(events, worstBy(models));
}

/** The model that a run asked, where an endpoint was asked. */
export function modelOf(events: readonly Event[]): string | undefined {
  const asked = events.find((event) => event.type === "turn.started" && event.data.ask !== undefined);
  return asked?.type === "turn.started" ? asked.data.model : undefined;
}

function worstBy(models: ModelDirectory): WorstCost {
  return (ask, model) => {
    const found = models.of({ provider: "messages", model, via: "anthropic" });
    if (!found || "failure" in found) return null;
    return worstCostOf(ask, found.card.price, { longCache: found.endpoint.capabilities.long_cache });
  };
}
