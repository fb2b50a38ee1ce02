import type { RunLimits } from "../protocol/agent.ts";
import type { Fact } from "../protocol/event.ts";
import type { JobSpec } from "../protocol/job.ts";
import { addUsage, noUsage, type Usage } from "../protocol/message.ts";
import { Account, type Limit, type Sum, units } from "./account.ts";
import { type Answer, type BudgetNews, type Exhausted, Ledger, type Reservation } from "./ledger.ts";
import { type Asked, SpentElsewhere } from "./spent-elsewhere.ts";
import type { Treasury, TreasuryAnswer } from "./treasury.ts";

/** What was used: tokens, and what they cost where the price is known. */
export interface Spent {
  usage: Usage;
  /** Nano-USD of what has a price. */
  costNanoUsd: number;
  /** False when something of it has none. */
  isCostKnown: boolean;
}

export const nothingSpent: Spent = { usage: noUsage, costNanoUsd: 0, isCostKnown: true };

/** `cost` is null where nobody knows it. */
export function addSpent(left: Spent, usage: Usage, cost: number | null): Spent {
  return {
    usage: addUsage(left.usage, usage),
    costNanoUsd: left.costNanoUsd + (cost ?? 0),
    isCostKnown: left.isCostKnown && cost !== null,
  };
}

/** `notices`: of the budgets that another process keeps. */
export type Admitted = Answer | { granted: Reservation; notices: readonly string[] } | Refused;
type Refused = Extract<TreasuryAnswer, { refused: unknown }>;

/** A run that another process does, or did. */
export interface RunPlace {
  id: string;
  task: string;
}

/** The books of one job: who may spend how much, and who has spent what. */
export class JobBudget {
  readonly ledger: Ledger;
  readonly #account: Account;
  readonly #taskLimit: Limit;
  readonly #tasks = new Map<string, Account>();
  readonly #spent = new Map<string, Spent>();
  readonly #before = new Map<string, Sum>();
  #total: Spent = nothingSpent;
  #news: BudgetNews[] = [];
  readonly #elsewhere: SpentElsewhere;
  readonly #treasury: Treasury | undefined;

  /**
   * `most` is what the operator lets one job have. With a `treasury` these are the books of one run, and those of its job
   * and its task are kept there: then `limits` and `most` have none.
   */
  constructor(jobId: string, limits: Limits, most: Limit, treasury?: Treasury) {
    this.ledger = new Ledger((news) => this.#news.push(news));
    this.#elsewhere = new SpentElsewhere(this.ledger);
    this.#treasury = treasury;
    this.#account = new Account("job", jobId, { limit: lower(limitOf(limits), most) });
    this.#taskLimit = limitOf(limits.task ?? {});
  }

  /** The account of one run, in that of its task, in the job's. */
  openRun(runId: string, taskId: string, limits: RunLimits = {}): Account {
    const run = new Account("run", runId, { limit: limitOf(limits), parent: this.#taskAccount(taskId) });
    run.spent = this.#before.get(runId) ?? run.spent;
    return run;
  }

  /** Before a call of a run that was opened here. Rejects with the signal's reason. */
  reserve(account: Account, worst: Sum, signal?: AbortSignal): Promise<Admitted> {
    const own = this.ledger.reserve(account, worst, signal);
    const isFree = worst.tokens === 0 && worst.nanoUsd === 0;
    return this.#treasury && !isFree ? askBeside(own, { account, treasury: this.#treasury, signal }) : own;
  }

  /** The same for a run of another process; undefined where it has said something else meanwhile. */
  reserveElsewhere(run: RunPlace, asked: Asked, signal?: AbortSignal): Promise<Answer | undefined> {
    return this.#elsewhere.reserve(this.accountElsewhere(run), asked, signal);
  }

  /** It has spent so much in all, and no call of it is under way. */
  settleElsewhere(run: RunPlace, total: Sum): void {
    this.#elsewhere.settle(this.accountElsewhere(run), total);
  }

  /** What the log of a run says that another process does, before that has said anything: it is no news. */
  presumeElsewhere(run: RunPlace, asked: Asked): void {
    this.#elsewhere.presume(this.accountElsewhere(run), asked);
    this.#news = [];
  }

  /** Limits of its own a run has where it is done. */
  accountElsewhere({ id, task }: RunPlace): Account {
    return new Account("run", id, { parent: this.#taskAccount(task) });
  }

  #taskAccount(id: string): Account {
    const task = this.#tasks.get(id) ?? new Account("task", id, { limit: this.#taskLimit, parent: this.#account });
    this.#tasks.set(id, task);
    return task;
  }

  /** What a run had spent before this process had its job: it counts, nobody is asked, and it is no news. */
  restore(run: RunPlace, spent: Spent): void {
    this.endElsewhere(run, spent);
    this.#news = [];
  }

  /** All that a run has spent which another process did, once that has ended, or is gone. */
  endElsewhere(run: RunPlace, spent: Spent): void {
    this.carry(run.id, spent);
    this.settleElsewhere(run, sumOf(spent));
    this.record(run.task, spent.usage, spent.isCostKnown ? spent.costNanoUsd : null);
  }

  /** What a run has spent that goes on in another thread: these books hold it already. */
  carry(runId: string, spent: Spent): void {
    this.#before.set(runId, sumOf(spent));
  }

  record(taskId: string, usage: Usage, cost: number | null): void {
    this.#spent.set(taskId, addSpent(this.spentOf(taskId), usage, cost));
    this.#total = addSpent(this.#total, usage, cost);
  }

  spentOf(taskId: string): Spent {
    return this.#spent.get(taskId) ?? nothingSpent;
  }

  /** The job was told that nothing more may be spent. */
  get exhausted(): Exhausted | undefined {
    const of = units.find((unit) => this.#account.isExhausted[unit]);
    return of === undefined ? undefined : { account: this.#account, of };
  }

  get total(): Spent {
    return this.#total;
  }

  /** For the job's log: each once. */
  takeNews(): Fact[] {
    return this.#news.splice(0).map(factOf);
  }
}

type Limits = Pick<JobSpec["limits"], "nano_usd" | "tokens" | "task">;

/** First in the run's own books, which need nobody. */
async function askBeside(
  own: Promise<Answer>,
  { account, treasury, signal }: { account: Account; treasury: Treasury; signal: AbortSignal | undefined },
): Promise<Admitted> {
  const answer = await own;
  if ("exhausted" in answer) return answer;
  const { granted } = answer;
  const settle = (actual: Sum) => {
    granted.settle(actual);
    treasury.settle({ spent: account.spent, wanted: nothing });
  };
  try {
    const admitted = await treasury.reserve({ spent: account.spent, wanted: granted.worst }, signal);
    if ("granted" in admitted) {
      const reservation = { worst: granted.worst, settle, settleAssumed: () => settle(granted.worst) };
      return { granted: reservation, notices: admitted.notices };
    }
    granted.settle(nothing);
    return admitted;
  } catch (thrown) {
    granted.settle(nothing);
    throw thrown;
  }
}

const nothing: Sum = { tokens: 0, nanoUsd: 0 };

/** In all. */
export function sumOf({ usage, costNanoUsd }: Spent): Sum {
  const input = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
  return { tokens: input + usage.output_tokens, nanoUsd: costNanoUsd };
}

function limitOf({ nano_usd, tokens }: { nano_usd?: number | undefined; tokens?: number | undefined }): Limit {
  return {
    ...(nano_usd === undefined ? {} : { nanoUsd: nano_usd }),
    ...(tokens === undefined ? {} : { tokens }),
  };
}

function lower(asked: Limit, most: Limit): Limit {
  const nanoUsd = Math.min(asked.nanoUsd ?? Number.POSITIVE_INFINITY, most.nanoUsd ?? Number.POSITIVE_INFINITY);
  const tokens = Math.min(asked.tokens ?? Number.POSITIVE_INFINITY, most.tokens ?? Number.POSITIVE_INFINITY);
  return { nanoUsd, tokens };
}

function factOf({ kind, scope, of, id, spent, reserved, limit, percent }: BudgetNews): Fact {
  const state = { scope, of, id, spent, reserved, limit };
  return kind === "warned"
    ? { type: "budget.warned", data: { ...state, percent } }
    : { type: "budget.exhausted", data: state };
}
