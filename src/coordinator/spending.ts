import type { Limit } from "../budget/account.ts";
import type { DayBudget } from "../budget/day-budget.ts";
import { createGovernor, type Governor } from "../budget/governor.ts";
import type { LaneLimits } from "../budget/lane.ts";
import { createWarmGate, type WarmGate } from "../budget/warm-gate.ts";
import type { Database } from "../db/database.ts";
import type { Endpoint } from "../protocol/endpoint.ts";
import type { Clock } from "../protocol/ids.ts";
import type { ModelSettings } from "../settings/models.ts";
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
}

export function openSpending(settings: ModelSettings, { clock }: { clock: Clock; database: Database }): Spending {
  const { budget, endpoint } = settings;
  const now = () => clock.now();
  const random = () => new DataView(clock.random(4).slice().buffer).getUint32(0) / 2 ** 32;
  return {
    governor: createGovernor({ now, random, later }),
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
