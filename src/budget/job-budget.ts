import type { RunLimits } from "../protocol/agent.ts";
import type { Fact } from "../protocol/event.ts";
import type { JobSpec } from "../protocol/job.ts";
import { addUsage, noUsage, type Usage } from "../protocol/message.ts";
import { Account, type Limit, type Sum, units } from "./account.ts";
import { type BudgetNews, type Exhausted, Ledger } from "./ledger.ts";

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

  /** `most` is what the operator lets one job have. */
  constructor(jobId: string, limits: JobSpec["limits"], most: Limit) {
    this.ledger = new Ledger((news) => this.#news.push(news));
    this.#account = new Account("job", jobId, { limit: lower(limitOf(limits), most) });
    this.#taskLimit = limitOf(limits.task ?? {});
  }

  /** The account of one run, in that of its task, in the job's. */
  openRun(runId: string, taskId: string, limits: RunLimits = {}): Account {
    const run = new Account("run", runId, { limit: limitOf(limits), parent: this.#taskAccount(taskId) });
    run.spent = this.#before.get(runId) ?? run.spent;
    return run;
  }

  #taskAccount(id: string): Account {
    const task = this.#tasks.get(id) ?? new Account("task", id, { limit: this.#taskLimit, parent: this.#account });
    this.#tasks.set(id, task);
    return task;
  }

  /** What a run had spent before this process had its job: it counts, nobody is asked, and it is no news. */
  restore(run: { id: string; task: string }, spent: Spent): void {
    const sum = sumOf(spent);
    this.#before.set(run.id, sum);
    this.ledger.charge(this.#taskAccount(run.task), sum);
    this.record(run.task, spent.usage, spent.isCostKnown ? spent.costNanoUsd : null);
    this.#news = [];
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

function sumOf({ usage, costNanoUsd }: Spent): Sum {
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
