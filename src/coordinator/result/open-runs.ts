import { dayOf } from "../../budget/day-budget.ts";
import type { Spent } from "../../budget/job-budget.ts";
import type { UsedModel } from "../../db/record-usage.ts";
import { worstCostOf } from "../../model/cost.ts";
import type { Event } from "../../protocol/event.ts";
import type { ModelDirectory } from "../gate/model-directory.ts";
import { tenant } from "../gate/spending.ts";
import { spentIn, type WorstCost } from "./result-usage.ts";

/**
 * What runs that nobody ended used of their models, by the log of their job: for the books, where each other run is with
 * its end. Pure.
 */
export function usedInOpenRuns(events: readonly Event[]): UsedModel[] {
  return [...Map.groupBy(events, ({ run_id }) => run_id).values()].flatMap(usedIn);
}

function usedIn(events: readonly Event[]): UsedModel[] {
  if (events.some(({ type }) => type === "run.finished")) return [];
  const model = events.flatMap((event) => (event.type === "turn.started" && event.data.ask ? [event.data.model] : []));
  const spent = spentIn(events);
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = spent.usage;
  const isUsed = input_tokens + output_tokens + cache_read_tokens + cache_write_tokens > 0;
  const [first] = model;
  const last = events.at(-1);
  return first && last && isUsed ? [{ tenant, day: dayOf(last.at), model: first, ...spent }] : [];
}

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
    return found && "card" in found ? worstCostOf(ask, found.card.price) : null;
  };
}
