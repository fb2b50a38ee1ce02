import type { Spent } from "../../budget/job-budget.ts";
import type { Asked } from "../../budget/spent-elsewhere.ts";
import type { SpendAnswer, SpendAsk } from "../../db/spend-asks.ts";
import { noticesNow } from "../gate/budget-notices.ts";
import { exhausted } from "../gate/exhausted.ts";
import type { Job } from "../job.ts";

/**
 * The books of one job, as its owner opens them to runs that it does not do itself. They answer what they were asked
 * last by each run, once, and nobody who is not that run's owner any more; and they answer nothing once the job is not
 * this process's.
 */
export class JobBooks {
  readonly #job: Job;
  readonly #asked = new Map<string, Heard>();
  #isClosed = false;
  /** Some run of it may be on another node. */
  isShared: boolean;

  constructor(job: Job) {
    this.#job = job;
    this.isShared = (job.history?.elsewhere.size ?? 0) > 0;
  }

  get rootEpoch(): number {
    return this.#job.root.epoch;
  }

  /**
   * Waits while others hold what may come back. Undefined where it is answered already, or the run has said something
   * else since. Rejects with the signal's reason, and where the job is this process's no more.
   */
  async answer(ask: SpendAsk, signal?: AbortSignal): Promise<SpendAnswer | undefined> {
    const before = this.#asked.get(ask.runId);
    if (this.#isClosed || (before && isOlder(ask, before.ask))) return undefined;
    if (before && !isOlder(before.ask, ask)) return before.answer;
    before?.stop.abort(new Error("the run has said something else since"));
    const heard: Heard = { ask, stop: new AbortController() };
    this.#asked.set(ask.runId, heard);
    const leave = () => heard.stop.abort(signal?.reason);
    if (signal?.aborted) leave();
    signal?.addEventListener("abort", leave, { once: true });
    try {
      const answer = await this.#ask(ask, heard.stop.signal);
      if (answer) await this.#tell();
      heard.answer = answer;
      return answer;
    } catch (thrown) {
      // It may be asked again.
      if (this.#asked.get(ask.runId) === heard) this.#asked.delete(ask.runId);
      throw thrown;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  /** The run has ended, or is this process's own from now on. */
  async end(run: { id: string; task: string }, spent: Spent): Promise<void> {
    this.#asked.get(run.id)?.stop.abort(new Error("the run has ended"));
    this.#asked.delete(run.id);
    this.#job.budget.endElsewhere(run, spent);
    await this.#tell();
  }

  close(): void {
    this.#isClosed = true;
    for (const { stop } of this.#asked.values()) stop.abort(new Error("the books are closed here"));
  }

  async #ask({ runId: id, taskId: task, spent, wanted }: SpendAsk, signal: AbortSignal) {
    const { budget } = this.#job;
    const run = { id, task };
    if (isNothing(wanted)) {
      budget.settleElsewhere(run, spent);
      return { granted: true as const, notices: [] };
    }
    const answer = await budget.reserveElsewhere(run, { spent, wanted }, signal);
    if (!answer) return undefined;
    if ("exhausted" in answer) return { refused: exhausted(answer.exhausted, wanted) };
    return { granted: true as const, notices: noticesNow(budget.accountElsewhere(run)) };
  }

  /** The job's log has it before whoever asked does; and the job is still this process's. */
  async #tell(): Promise<void> {
    const news = this.#job.budget.takeNews();
    if (news.length > 0) await this.#job.log(news);
    await this.#job.standing.confirm();
  }
}

interface Heard {
  ask: SpendAsk;
  stop: AbortController;
  answer?: SpendAnswer | undefined;
}

function isOlder(one: SpendAsk, other: SpendAsk): boolean {
  return one.epoch < other.epoch || (one.epoch === other.epoch && one.n < other.n);
}

function isNothing({ tokens, nanoUsd }: Asked["wanted"]): boolean {
  return tokens === 0 && nanoUsd === 0;
}
