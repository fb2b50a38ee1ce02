import { type Account, minus, plus, type Sum } from "./account.ts";
import type { Answer, Ledger, Reservation } from "./ledger.ts";

/** What a run of another process has spent in all, and what its next call may take. */
export interface Asked {
  spent: Sum;
  wanted: Sum;
}

/**
 * What runs of other processes take of a job's budget, in the one ledger of it. Each says all that it has spent so far
 * whenever it says something, so that what is lost on the way, or heard twice, changes nothing; and with what it says
 * next, its last call is over. It never makes less of what was said before.
 */
export class SpentElsewhere {
  readonly #ledger: Ledger;
  readonly #runs = new Map<string, Run>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** It has spent so much in all, and no call of it is under way. */
  settle(account: Account, total: Sum): void {
    const run = this.#runs.get(account.id);
    const spent = run?.spent ?? nothing;
    const more = notNegative(minus(total, spent));
    this.#runs.set(account.id, { spent: plus(spent, more) });
    if (run?.open) run.open.settle(more);
    else this.#ledger.charge(account, more);
  }

  /** Undefined where the run has said something else meanwhile. Rejects with the signal's reason. */
  async reserve(account: Account, { spent, wanted }: Asked, signal?: AbortSignal): Promise<Answer | undefined> {
    this.settle(account, spent);
    const run = this.#runs.get(account.id);
    const answer = await this.#ledger.reserve(account, wanted, signal);
    if (run && this.#runs.get(account.id) === run) {
      if ("granted" in answer) run.open = answer.granted;
      return answer;
    }
    if ("granted" in answer) answer.granted.settle(nothing);
    return undefined;
  }

  /** By its log, before it has said anything to this process: `wanted` may have been granted by another one. */
  presume(account: Account, { spent, wanted }: Asked): void {
    this.settle(account, spent);
    const run = this.#runs.get(account.id);
    if (run) run.open = this.#ledger.presume(account, wanted);
  }
}

interface Run {
  spent: Sum;
  open?: Reservation;
}

const nothing: Sum = { tokens: 0, nanoUsd: 0 };

function notNegative({ tokens, nanoUsd }: Sum): Sum {
  return { tokens: Math.max(0, tokens), nanoUsd: Math.max(0, nanoUsd) };
}
