import { amount, limitOf, type Sum, type Unit } from "../../budget/account.ts";
import type { DayState } from "../../budget/day-budget.ts";
import type { Exhausted } from "../../budget/ledger.ts";
import type { Failure } from "../../protocol/failure.ts";

/** Why no further model call is made, in words: whose budget it is, how much of it is left, and what to do. */
export function exhausted({ account, of }: Exhausted, wanted: Sum): Failure {
  const { scope, spent } = account;
  const state = { limit: limitOf(account, of), spent: amount(spent, of) };
  const place = scope === "run" ? "the agent's limits" : scope === "task" ? "limits.task" : "limits";
  return failureOf(`the ${scope}'s`, of, { ...state, wanted: amount(wanted, of), remedy: `raise ${of} in ${place}` });
}

/** For a task that does not begin any more. */
export function jobExhausted({ account, of }: Exhausted): Failure {
  const limit = amountText(limitOf(account, of), of);
  const used = amountText(amount(account.spent, of), of);
  const message = `the job's budget of ${limit} has no room for another call: ${used} are used`;
  return { code: of, message, remedy: `raise ${of} in limits; what was done so far is kept` };
}

/** The operator's, not the job's. */
export function dayExhausted({ of, limit, spent }: DayState, wanted: Sum): Failure {
  const remedy = `wait for tomorrow (UTC), or have the operator raise budget.${of}_per_day in sheaf.config.yaml`;
  return failureOf("the day's", of, { limit, spent, wanted: amount(wanted, of), remedy });
}

interface State {
  limit: number;
  spent: number;
  wanted: number;
  remedy: string;
}

function failureOf(whose: string, of: Unit, { limit, spent, wanted, remedy }: State): Failure {
  const written = (value: number) => amountText(value, of);
  const message = `${whose} budget of ${written(limit)} has no room for another call: ${written(spent)} are used, and it may take ${written(wanted)}`;
  return { code: of, message, remedy: `${remedy}; what was done so far is kept` };
}

export function amountText(value: number, of: Unit): string {
  return of === "usd" ? `${dollars(value)} USD` : `${value.toLocaleString("en-US")} tokens`;
}

/** Small sums keep the digits that tell them apart. */
function dollars(nanoUsd: number): string {
  const usd = nanoUsd / 1e9;
  return usd > 0 && usd < 0.01 ? usd.toPrecision(2) : usd.toFixed(2);
}
