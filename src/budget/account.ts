import type { BudgetScope } from "../protocol/job-fact.ts";

/** Tokens, and money in nano-USD. */
export interface Sum {
  tokens: number;
  nanoUsd: number;
}

/** What is absent has no limit. */
export type Limit = Partial<Sum>;

export type Unit = "usd" | "tokens";
export const units: readonly Unit[] = ["usd", "tokens"];

/** What may be spent in one scope, inside another: what is spent here is spent there too. */
export class Account {
  readonly scope: BudgetScope;
  /** Of the run, the task or the job. */
  readonly id: string;
  readonly parent: Account | undefined;
  readonly limit: Limit;
  spent: Sum = { tokens: 0, nanoUsd: 0 };
  /** Worst cases of calls that have not been answered. */
  reserved: Sum = { tokens: 0, nanoUsd: 0 };
  /** The highest share, in percent, that was warned of. */
  readonly warned: Record<Unit, number> = { usd: 0, tokens: 0 };
  /** It was told that nothing more may be spent. */
  readonly isExhausted: Record<Unit, boolean> = { usd: false, tokens: false };
  readonly #chain: readonly Account[];

  constructor(scope: BudgetScope, id: string, { limit = {}, parent }: { limit?: Limit; parent?: Account } = {}) {
    this.scope = scope;
    this.id = id;
    this.limit = limit;
    this.parent = parent;
    this.#chain = [this, ...(parent?.chain() ?? [])];
  }

  /** From this one outward. */
  chain(): readonly Account[] {
    return this.#chain;
  }

  /** What another `wanted` would exceed for good, whatever of the reserved comes back. */
  exhaustedBy(wanted: Sum): Unit | undefined {
    return units.find((unit) => amount(this.spent, unit) + amount(wanted, unit) > limitOf(this, unit));
  }

  fits(wanted: Sum): boolean {
    return units.every(
      (unit) => amount(this.spent, unit) + amount(this.reserved, unit) + amount(wanted, unit) <= limitOf(this, unit),
    );
  }
}

export function limitOf({ limit }: Account, unit: Unit): number {
  return (unit === "usd" ? limit.nanoUsd : limit.tokens) ?? Number.POSITIVE_INFINITY;
}

export function amount(sum: Sum, unit: Unit): number {
  return unit === "usd" ? sum.nanoUsd : sum.tokens;
}

export function plus(left: Sum, right: Sum): Sum {
  return { tokens: left.tokens + right.tokens, nanoUsd: left.nanoUsd + right.nanoUsd };
}

export function minus(left: Sum, right: Sum): Sum {
  return { tokens: left.tokens - right.tokens, nanoUsd: left.nanoUsd - right.nanoUsd };
}
