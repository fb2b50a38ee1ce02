import type { Limit } from "../../budget/account.ts";
import { createDayBudget, type DayBudget } from "../../budget/day-budget.ts";
import { createGovernor, type Governor, type SharedRates } from "../../budget/governor.ts";
import type { LaneLimits } from "../../budget/lane.ts";
import { createWarmGate, type WarmGate } from "../../budget/warm-gate.ts";
import type { Database } from "../../db/database.ts";
import { pauseRate, takeRate } from "../../db/shared-rates.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import type { Clock } from "../../protocol/ids.ts";
import type { ModelSettings } from "../../settings/models.ts";
import { isLoopbackHost } from "./endpoint-of.ts";

/** What all jobs of this process share when they ask models: rates, caches, and what may be spent. */
export interface Spending {
  governor: Governor;
  warm: WarmGate;
  /** Where the operator limits a day. */
  day?: DayBudget | undefined;
  /** The most of one job, whatever it asks for. */
  jobLimit: Limit;
  /** The operator limits money: what has no price could not be held to it. */
  isMoneyLimited: boolean;
  limits(endpoint: Endpoint): LaneLimits;
  /** From 0 to 1. */
  random(): number;
  /** Calls `wake` once after so many milliseconds; returns what prevents it. */
  later(ms: number, wake: () => void): () => void;
  /** Rejects with the signal's reason. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Whose books they are, until there are several. */
export const tenant = "default";

export function openSpending(
  settings: ModelSettings,
  { clock, database }: { clock: Clock; database: Database },
): Spending {
  const { budget, endpoint } = settings;
  const now = () => clock.now();
  const random = () => new DataView(clock.random(4).slice().buffer).getUint32(0) / 2 ** 32;
  return {
    governor: createGovernor({ now, random, later, shared: sharedRates(database) }),
    warm: createWarmGate({ now, later }),
    jobLimit: limitOf(budget.job),
    isMoneyLimited: budget.job.nano_usd !== undefined || budget.day.nano_usd !== undefined,
    limits: ({ base_url }) => ({
      requestsPerMinute: endpoint.requestsPerMinute,
      tokensPerMinute: endpoint.tokensPerMinute,
      concurrency: endpoint.concurrency,
      ...(isOwnMachine(base_url) ? { first: firstAtHome } : {}),
    }),
    random,
    later,
    wait,
    ...(budget.day.nano_usd === undefined && budget.day.tokens === undefined
      ? {}
      : { day: createDayBudget({ tenant, limit: limitOf(budget.day), now, wait }, database) }),
  };
}

/** The embedded database has one process, which knows all that it does. */
function sharedRates(database: Database): SharedRates | undefined {
  if (database.kind === "pglite") return undefined;
  const laneOf = ({ endpoint, model }: { endpoint: string; model: string }) => `${endpoint} ${model}`;
  return {
    take: (name, costs) => {
      const { requestsPerMinute, tokensPerMinute } = name.limits;
      const tokens = costs.map(({ input, output }) => input + output);
      return takeRate({ lane: laneOf(name), tokens, requestsPerMinute, tokensPerMinute }, database);
    },
    // What other nodes are not told they find out from the endpoint.
    pause: (name, ms) => void pauseRate(laneOf(name), ms, database).catch(() => {}),
  };
}

/** Whoever answers on this machine has no other clients to protect. */
const firstAtHome = 1_024;

function isOwnMachine(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname);
}

function limitOf({ nano_usd, tokens }: { nano_usd?: number; tokens?: number }): Limit {
  return {
    ...(nano_usd === undefined ? {} : { nanoUsd: nano_usd }),
    ...(tokens === undefined ? {} : { tokens }),
  };
}

function later(ms: number, wake: () => void): () => void {
  const timer = setTimeout(wake, ms);
  return () => clearTimeout(timer);
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const leave = () => {
      prevent();
      reject(signal.reason);
    };
    const prevent = later(ms, () => {
      signal.removeEventListener("abort", leave);
      resolve();
    });
    signal.addEventListener("abort", leave, { once: true });
  });
}
