import type { Account, Sum } from "../../budget/account.ts";
import { addSpent, nothingSpent, type Spent } from "../../budget/job-budget.ts";
import { costOf } from "../../model/cost.ts";
import type { ModelSign } from "../../protocol/endpoint.ts";
import type { FactData, ThreadFact } from "../../protocol/event.ts";
import type { Failure } from "../../protocol/failure.ts";
import { noUsage, type Usage } from "../../protocol/message.ts";
import { attribute } from "../../telemetry/semconv.ts";
import { assumedUsage } from "../result/result-usage.ts";
import type { Admission, Gate } from "./admission.ts";
import { budgetNotices } from "./budget-notices.ts";
import type { GateOrder } from "./gate-order.ts";
import { type CallIntent, type OpenCall, queueCall } from "./queue-call.ts";
import { tellingWait } from "./telling-wait.ts";

/**
 * The gate of one run: a model call is let through when its worst case is reserved, when what it shares with others is in
 * the endpoint's cache or on its way there, and when the endpoint's rates have room. What a thread says it used is counted
 * here, once; what nobody says is counted in full.
 */
export interface RunGate extends Gate {
  /**
   * After the run's last word: what is still open is counted in full, and where it goes on from its log (`isGoingOn`) also
   * what was refused without a word of it there. Says what the run has spent.
   */
  close(how?: { isGoingOn: boolean }): Promise<Spent>;
}

export function openRunGate(order: GateOrder): RunGate {
  return new CountingGate(order);
}

class CountingGate implements RunGate {
  readonly #order: GateOrder;
  readonly #account: Account;
  readonly #notices: ReturnType<typeof budgetNotices>;
  /** Each notice that the run's agent knows. */
  readonly #told: Set<string>;
  #open: OpenCall | undefined;
  #spent: Spent = nothingSpent;
  /** What the last request took in, where the endpoint keeps a cache: the next one pays for what comes after it. */
  #cached = 0;

  constructor(order: GateOrder) {
    const { job, run, taskId, agent, before } = order;
    this.#order = order;
    if (before) [this.#spent, this.#cached] = [before.spent, before.cached];
    this.#account = job.budget.openRun(run.runId, taskId, agent.limits);
    this.#notices = budgetNotices(this.#account);
    this.#told = new Set(before?.notices);
  }

  async admit(facts: readonly ThreadFact[], spanId: string | undefined): Promise<Admission> {
    let admission: Admission = { notices: [] };
    for (const fact of facts) {
      await this.#endBefore(fact);
      if (fact.type === "turn.started" || fact.type === "turn.retried") admission = await this.#ask(fact, spanId);
    }
    await this.#logNews();
    return admission;
  }

  said(sign: ModelSign): void {
    const { model, equipment, job } = this.#order;
    if (this.#open) this.#open.isRefused = sign.at === "answered" && isRefusal(sign.status);
    if (sign.at === "began") this.#open?.warming?.began();
    else if (sign.at === "answered") this.#open?.pass?.answered(sign);
    else if (sign.at === "lost") this.#open?.pass?.lost();
    else if (model && equipment.models.refused(model.endpoint.name, sign.field)) {
      const what = { [attribute.serverAddress]: model.endpoint.name, [attribute.droppedField]: sign.field };
      job.span.event("sheaf.field_dropped", what);
    }
  }

  async close({ isGoingOn } = { isGoingOn: false }): Promise<Spent> {
    await this.#giveUp({ isBilled: isGoingOn || !this.#open?.isRefused });
    await this.#logNews();
    return this.#spent;
  }

  /** A call that nobody answered is over with the next one. */
  async #endBefore(fact: ThreadFact): Promise<void> {
    if (fact.type === "turn.finished") await this.#finish(fact.data);
    else if (fact.type === "turn.started") await this.#giveUp({ isBilled: true });
    else if (fact.type === "turn.retried" || fact.type === "turn.failed") await this.#giveUp(billed(fact.data));
  }

  async #ask(intent: CallIntent, spanId: string | undefined): Promise<Admission> {
    let stop = await this.#let(intent, spanId);
    const notices = stop ? [] : await this.#tellAgent(spanId);
    if (this.#order.signal.aborted) stop ??= runIsOver;
    if (!stop) return { notices };
    await this.#neverWent(intent, stop, spanId);
    return { stop, notices: [] };
  }

  async #finish({ usage, cost_nano_usd }: FactData<"turn.finished">): Promise<void> {
    const { model } = this.#order;
    const cost = model ? costOf(usage, model.card.price) : (cost_nano_usd ?? 0);
    await this.#settle(usage, cost, { isWell: true });
    this.#cached = cachedBy(usage);
  }

  /** The call came to nothing: it may have been billed, or it certainly was not. */
  async #giveUp({ isBilled }: { isBilled: boolean }): Promise<void> {
    const call = this.#open;
    if (!call) return;
    const isFree = !isBilled || call.reservation.worst.tokens === 0;
    if (isFree) return this.#settle(noUsage, 0, { isWell: false });
    const cost = this.#order.model?.card.price ? call.reservation.worst.nanoUsd : null;
    await this.#settle(assumedUsage(call.ask), cost, { isWell: false });
  }

  async #settle(usage: Usage, cost: number | null, { isWell }: { isWell: boolean }): Promise<void> {
    const call = this.#open;
    this.#open = undefined;
    const actual = sumOf(usage, cost);
    this.#record(usage, cost, actual);
    if (isWell) call?.warming?.began();
    else call?.warming?.failed();
    call?.pass?.end({ isWell, tokens: actual.tokens - usage.cache_read_tokens });
    // What a recording once took is not spent again.
    const { job, agent } = this.#order;
    const charged = agent.model.provider === "replay" ? { tokens: 0, nanoUsd: 0 } : actual;
    if (call) call.reservation.settle(charged);
    else job.budget.ledger.charge(this.#account, charged);
    await call?.day?.settle(actual);
  }

  #record(usage: Usage, cost: number | null, actual: Sum): void {
    if (actual.tokens === 0 && actual.nanoUsd === 0) return;
    const { job, taskId } = this.#order;
    this.#spent = addSpent(this.#spent, usage, cost);
    job.budget.record(taskId, usage, cost);
  }

  /** Why it may not be made; nothing where it may. */
  async #let(intent: CallIntent, spanId: string | undefined): Promise<Failure | undefined> {
    const order = this.#order;
    const opened = (call: OpenCall) => {
      this.#open = call;
    };
    const queue = { order, account: this.#account, spanId, cached: this.#cached, opened };
    try {
      return await order.during(() => tellingWait(intent, queue, () => queueCall(intent, queue)));
    } catch (thrown) {
      if (order.signal.aborted) return runIsOver;
      await this.#giveUp({ isBilled: false });
      throw thrown;
    }
  }

  /** In the log as well: whoever reads it counts nothing for it. */
  async #neverWent({ data: { turn } }: CallIntent, { message }: Failure, spanId: string | undefined): Promise<void> {
    await this.#giveUp({ isBilled: false });
    const { job, run } = this.#order;
    await job.logRun(run, [{ type: "turn.failed", data: { turn, reason: message, is_billed: false } }], spanId);
  }

  async #logNews(): Promise<void> {
    const news = this.#order.job.budget.takeNews();
    if (news.length > 0) await this.#order.job.log(news);
  }

  /** In the run's log first. */
  async #tellAgent(spanId: string | undefined): Promise<string[]> {
    const { job, run } = this.#order;
    const texts = [...this.#notices(), ...(this.#open?.notices ?? [])].filter((text) => !this.#told.has(text));
    for (const text of texts) this.#told.add(text);
    const told = texts.map((text) => ({ type: "run.notified" as const, data: { kind: "budget" as const, text } }));
    if (told.length > 0) await job.logRun(run, told, spanId);
    return texts;
  }
}

/** What a request took in and its endpoint keeps: the next one of the run begins with it. */
export function cachedBy({ input_tokens, cache_read_tokens, cache_write_tokens }: Usage): number {
  const kept = cache_read_tokens + cache_write_tokens;
  return kept > 0 ? input_tokens + kept : 0;
}

function billed({ is_billed }: { is_billed: boolean }): { isBilled: boolean } {
  return { isBilled: is_billed };
}

const runIsOver: Failure = { code: "cancelled", message: "the run is over" };

/** Whoever says no does no work; an endpoint that failed, or gave up waiting, may have done some. */
function isRefusal(status: number): boolean {
  const isClient = status >= 400 && status < 500 && status !== 408 && status !== 499;
  return isClient || status === 503 || status === 529;
}

function sumOf(usage: Usage, cost: number | null): Sum {
  const input = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
  return { tokens: input + usage.output_tokens, nanoUsd: cost ?? 0 };
}
