import type { BudgetScope } from "../protocol/job-fact.ts";
import { type Account, amount, limitOf, minus, plus, type Sum, type Unit, units } from "./account.ts";

/**
 * The reservations of one job. A call is made only when its worst case fits into every scope it belongs to, beside what
 * is spent and what others have reserved; so no limit is exceeded, however many ask. It knows no clock and does no IO.
 *
 * Whoever could fit once others settle waits, in order: nobody later takes what the first of a scope waits for. Whoever
 * cannot fit even then is told so at once.
 */
export interface Reservation {
  readonly worst: Sum;
  /** What the call really took; more than the worst case is counted too, and never granted again. Once. */
  settle(actual: Sum): void;
  /** Nobody knows what it took: all of it, as assumed. */
  settleAssumed(): void;
}

export interface BudgetNews {
  kind: "warned" | "exhausted";
  scope: BudgetScope;
  of: Unit;
  id: string;
  spent: number;
  reserved: number;
  limit: number;
  /** Of `warned`: 80, 90 or 95. */
  percent: number;
}

export interface Exhausted {
  account: Account;
  of: Unit;
}

export type Answer = { granted: Reservation } | { exhausted: Exhausted };

const warnings = [95, 90, 80] as const;

export class Ledger {
  readonly #tell: (news: BudgetNews) => void;
  /** In the order they came. */
  #waiting: Waiter[] = [];

  /** Each warning, and each end of a budget, is told once. */
  constructor(tell: (news: BudgetNews) => void) {
    this.#tell = tell;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Rejects with the signal's reason when that comes first. */
  reserve(account: Account, worst: Sum, signal?: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const leave = () => {
        this.#waiting = this.#waiting.filter((one) => one !== waiter);
        reject(signal?.reason);
        this.#pump();
      };
      let isDecided = false;
      const waiter: Waiter = {
        account,
        worst,
        decide: (answer) => {
          isDecided = true;
          signal?.removeEventListener("abort", leave);
          resolve(answer);
        },
      };
      this.#waiting.push(waiter);
      this.#pump();
      // Most never wait, and to listen costs more than all the rest of it.
      if (isDecided) return;
      if (signal?.aborted) leave();
      else signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /** What was spent without asking. */
  charge(account: Account, actual: Sum): void {
    this.#spend(account, actual);
    this.#pump();
  }

  /** Counts it as reserved, whether or not it fits: somebody who is gone may have granted it. */
  presume(account: Account, worst: Sum): Reservation {
    for (const each of account.chain()) each.reserved = plus(each.reserved, worst);
    return this.#reservation(account, worst);
  }

  #pump(): void {
    const blocked = new Set<Account>();
    const decided: (() => void)[] = [];
    this.#waiting = this.#waiting.filter((waiter) => {
      const answer = isBehind(waiter, blocked) ? undefined : this.#answer(waiter);
      if (answer) decided.push(() => waiter.decide(answer));
      else block(waiter, blocked);
      return answer === undefined;
    });
    for (const tell of decided) tell();
  }

  #answer({ account, worst }: Waiter): Answer | undefined {
    for (const each of account.chain()) {
      const of = each.exhaustedBy(worst);
      if (of === undefined) continue;
      this.#exhaust(each, of);
      return { exhausted: { account: each, of } };
    }
    for (const each of account.chain()) if (!each.fits(worst)) return undefined;
    for (const each of account.chain()) each.reserved = plus(each.reserved, worst);
    return { granted: this.#reservation(account, worst) };
  }

  #reservation(account: Account, worst: Sum): Reservation {
    let isOpen = true;
    const settle = (actual: Sum) => {
      if (!isOpen) return;
      isOpen = false;
      for (const each of account.chain()) each.reserved = minus(each.reserved, worst);
      this.charge(account, actual);
    };
    return { worst, settle, settleAssumed: () => settle(worst) };
  }

  #spend(account: Account, actual: Sum): void {
    for (const each of account.chain()) {
      each.spent = plus(each.spent, actual);
      for (const unit of units) this.#warn(each, unit);
    }
  }

  #warn(account: Account, of: Unit): void {
    const limit = limitOf(account, of);
    if (limit === Number.POSITIVE_INFINITY) return;
    const share = amount(account.spent, of) * 100;
    const percent = warnings.find((each) => share >= each * limit && share > 0);
    if (percent === undefined || percent <= account.warned[of]) return;
    account.warned[of] = percent;
    this.#tell(newsOf("warned", account, { of, percent }));
  }

  #exhaust(account: Account, of: Unit): void {
    if (account.isExhausted[of]) return;
    account.isExhausted[of] = true;
    this.#tell(newsOf("exhausted", account, { of, percent: 100 }));
  }
}

interface Waiter {
  account: Account;
  worst: Sum;
  decide(answer: Answer): void;
}

/** Somebody earlier waits for room in a scope that this one needs as well. */
function isBehind({ account }: Waiter, blocked: ReadonlySet<Account>): boolean {
  if (blocked.size === 0) return false;
  for (const each of account.chain()) if (blocked.has(each)) return true;
  return false;
}

/** Nobody later takes of the scopes that it waits for. */
function block({ account, worst }: Waiter, blocked: Set<Account>): void {
  for (const each of account.chain()) if (!each.fits(worst)) blocked.add(each);
}

function newsOf(
  kind: BudgetNews["kind"],
  account: Account,
  { of, percent }: { of: Unit; percent: number },
): BudgetNews {
  const { scope, id, spent, reserved } = account;
  const sums = { spent: amount(spent, of), reserved: amount(reserved, of), limit: limitOf(account, of) };
  return { kind, scope, of, id, percent, ...sums };
}
