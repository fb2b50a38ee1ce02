import type { Database } from "../db/database.ts";
import { type DayBooks, type DayPlace, readDay, reserveOfDay, settleOfDay } from "../db/day-budget.ts";
import type { Limit, Sum, Unit } from "./account.ts";

/**
 * What all jobs of a tenant may spend in a day (UTC), over all nodes: held in the database, where each call is reserved by
 * a statement that decides as well. Only there where the operator limits a day.
 */
export interface DayBudget {
  /** Waits while what others have reserved may come back. Rejects with the signal's reason. */
  reserve(worst: Sum, signal: AbortSignal): Promise<DayAnswer>;
}

export type DayAnswer =
  | { granted: DayReservation; warned: (DayState & { percent: number }) | undefined }
  | { exhausted: DayState };

export interface DayReservation {
  settle(actual: Sum): Promise<void>;
}

export interface DayState {
  of: Unit;
  /** The day, as 2026-11-23. */
  id: string;
  spent: number;
  reserved: number;
  limit: number;
}

export interface DayOptions {
  tenant: string;
  limit: Limit;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rejects with the signal's reason. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Between two looks at what others give back. */
const lookMs = 500;
/**
 * What nobody gave back for so long belongs to a node that is gone, since no call lasts longer: it is not waited for, and
 * stays counted as spent.
 */
const mostStillMs = 15 * 60_000;

/** All of a process stand in one line: the first of them looks, and nobody goes before it, however slow its look is. */
export function createDayBudget({ tenant, limit, now, wait }: DayOptions, database: Database): DayBudget {
  const warned = new Map<string, number>();
  let still = { books: "", since: now() };
  let last: Promise<unknown> = Promise.resolve();

  const look = async (wanted: Sum): Promise<DayAnswer | undefined> => {
    const place = { tenant, day: dayOf(now()) };
    const books = await reserveOfDay(place, { wanted, limit }, database);
    if (books) return granted(place, wanted, { database, warned: warningOf(place, books, { limit, warned }) });
    const full = await readDay(place, database);
    const seen = JSON.stringify([place.day, full]);
    if (seen !== still.books) still = { books: seen, since: now() };
    const lost = exceeded(full, wanted, { limit, isStill: now() - still.since > mostStillMs });
    return lost ? { exhausted: stateOf(place, lost, { books: full, limit }) } : undefined;
  };
  const lookOn = async (wanted: Sum, signal: AbortSignal): Promise<DayAnswer> => {
    for (;;) {
      signal.throwIfAborted();
      const answer = await look(wanted);
      if (answer) return answer;
      await wait(lookMs, signal);
    }
  };
  return {
    reserve(wanted, signal) {
      const mine = last.then(() => lookOn(wanted, signal));
      last = mine.catch(() => {});
      // What is granted to somebody who has left is given back.
      const left = () => void mine.then(giveBack).catch(() => {});
      return unlessAborted(mine, { signal, left });
    },
  };
}

async function giveBack(answer: DayAnswer): Promise<void> {
  if ("granted" in answer) await answer.granted.settle({ tokens: 0, nanoUsd: 0 });
}

/** Whoever leaves does not wait for its turn; its place in the line is skipped when it comes. */
function unlessAborted<T>(work: Promise<T>, { signal, left }: { signal: AbortSignal; left: () => void }): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      reject(signal.reason);
      left();
    };
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

/** UTC, as 2026-11-23. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function granted(
  place: DayPlace,
  reserved: Sum,
  { database, warned }: { database: Database; warned: (DayState & { percent: number }) | undefined },
): DayAnswer {
  return { granted: { settle: (actual) => settleOfDay(place, { reserved, actual }, database) }, warned };
}

/** The sum that cannot come true, whatever is given back. */
function exceeded(
  books: DayBooks,
  wanted: Sum,
  { limit, isStill }: { limit: Limit; isStill: boolean },
): Unit | undefined {
  const tokens = books.spent_tokens + wanted.tokens + (isStill ? books.reserved_tokens : 0);
  const nanoUsd = books.spent_nano_usd + wanted.nanoUsd + (isStill ? books.reserved_nano_usd : 0);
  if (nanoUsd > (limit.nanoUsd ?? Number.POSITIVE_INFINITY)) return "usd";
  return tokens > (limit.tokens ?? Number.POSITIVE_INFINITY) ? "tokens" : undefined;
}

/** Each share of each day once in this process. */
function warningOf(
  place: DayPlace,
  books: DayBooks,
  { limit, warned }: { limit: Limit; warned: Map<string, number> },
): (DayState & { percent: number }) | undefined {
  for (const unit of ["usd", "tokens"] as const) {
    const state = stateOf(place, unit, { books, limit });
    const percent = [95, 90, 80].find((each) => state.spent * 100 >= each * state.limit);
    const key = `${place.day} ${unit}`;
    if (percent === undefined || percent <= (warned.get(key) ?? 0)) continue;
    warned.set(key, percent);
    return { ...state, percent };
  }
  return undefined;
}

function stateOf({ day: id }: DayPlace, of: Unit, { books, limit }: { books: DayBooks; limit: Limit }): DayState {
  const most = Number.MAX_SAFE_INTEGER;
  return of === "usd"
    ? { of, id, spent: books.spent_nano_usd, reserved: books.reserved_nano_usd, limit: limit.nanoUsd ?? most }
    : { of, id, spent: books.spent_tokens, reserved: books.reserved_tokens, limit: limit.tokens ?? most };
}
