import type { Account, Sum } from "../budget/account.ts";
import { backoffMs } from "../budget/backoff.ts";
import type { DayReservation } from "../budget/day-budget.ts";
import type { Pass } from "../budget/governor.ts";
import { addSpent, nothingSpent, type Spent } from "../budget/job-budget.ts";
import type { Reservation } from "../budget/ledger.ts";
import type { Warming } from "../budget/warm-gate.ts";
import { costOf, worstCostOf } from "../model/cost.ts";
import type { AgentSpec } from "../protocol/agent.ts";
import type { Endpoint, ModelSign } from "../protocol/endpoint.ts";
import type { FactData, ThreadFact } from "../protocol/event.ts";
import { type Failure, Fault } from "../protocol/failure.ts";
import type { RunId } from "../protocol/ids.ts";
import { noUsage, type Usage } from "../protocol/message.ts";
import type { ModelCard } from "../protocol/model-card.ts";
import type { ModelAsk } from "../protocol/run-fact.ts";
import { attribute, queueSpan } from "../telemetry/semconv.ts";
import type { Admission, Gate } from "./admission.ts";
import { budgetNotices } from "./budget-notices.ts";
import type { Equipment } from "./equipment.ts";
import { dayExhausted, exhausted } from "./exhausted.ts";
import type { Job } from "./job.ts";

/**
 * The gate of one run: a model call is let through when its worst case is reserved, when what it shares with others is in
 * the endpoint's cache or on its way there, and when the endpoint's rates have room. What a thread says it used is counted
 * here, once; what nobody says is counted in full.
 */
export interface GateOrder {
  run: { runId: RunId; epoch: number };
  taskId: string;
  agent: AgentSpec;
  /** Of an agent that thinks. */
  model: AskedModel | undefined;
  job: Job;
  equipment: Equipment;
  /** The run's idle limit does not run meanwhile. */
  during<T>(wait: () => Promise<T>): Promise<T>;
  /** Aborted when the run is over. */
  signal: AbortSignal;
}

export interface AskedModel {
  card: ModelCard;
  endpoint: Endpoint;
}

export interface RunGate extends Gate {
  /** After the run's last word: what is still open is counted in full. Says what the run has spent. */
  close(): Promise<Spent>;
}

/** A call that was let through, or is on its way. */
interface OpenCall {
  ask: ModelAsk;
  worst: Sum;
  reservation: Reservation;
  day?: DayReservation | undefined;
  warming?: Warming | undefined;
  pass?: Pass | undefined;
}

type Intent = Extract<ThreadFact, { type: "turn.started" | "turn.retried" }>;

export function openRunGate(order: GateOrder): RunGate {
  return new CountingGate(order);
}

class CountingGate implements RunGate {
  readonly #order: GateOrder;
  readonly #account: Account;
  readonly #notices: ReturnType<typeof budgetNotices>;
  #open: OpenCall | undefined;
  #spent: Spent = nothingSpent;
  /** What the last request took in, where the endpoint keeps a cache: the next one pays for what comes after it. */
  #cached = 0;

  constructor(order: GateOrder) {
    const { job, run, taskId, agent } = order;
    this.#order = order;
    this.#account = job.budget.openRun(run.runId, taskId, agent.limits);
    this.#notices = budgetNotices(this.#account);
  }

  async admit(facts: readonly ThreadFact[], spanId: string | undefined): Promise<Admission> {
    let stop: Failure | undefined;
    for (const fact of facts) {
      if (fact.type === "turn.finished") await this.#finish(fact.data);
      else if (fact.type === "turn.retried") stop = await this.#retry(fact, spanId);
      else if (fact.type === "turn.started") stop = await this.#let(fact, spanId);
    }
    await this.#logNews();
    const isAsking = facts.some(({ type }) => type === "turn.started" || type === "turn.retried");
    if (stop) return { stop, notices: [] };
    return { notices: isAsking ? await this.#tellAgent(spanId) : [] };
  }

  said(sign: ModelSign): void {
    const { model, equipment, job } = this.#order;
    if (sign.at === "began") this.#open?.warming?.began();
    else if (sign.at === "answered") this.#open?.pass?.answered(sign);
    else if (sign.at === "lost") this.#open?.pass?.lost();
    else if (model && equipment.models.refused(model.endpoint.name, sign.field)) {
      const what = { [attribute.serverAddress]: model.endpoint.name, [attribute.droppedField]: sign.field };
      job.span.event("sheaf.field_dropped", what);
    }
  }

  async close(): Promise<Spent> {
    await this.#giveUp({ isBilled: true });
    await this.#logNews();
    return this.#spent;
  }

  async #finish({ usage, cost_nano_usd }: FactData<"turn.finished">): Promise<void> {
    const { model } = this.#order;
    const cost = model ? costOf(usage, model.card.price) : (cost_nano_usd ?? 0);
    await this.#settle(usage, cost, { isWell: true });
    const total = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
    this.#cached = usage.cache_read_tokens + usage.cache_write_tokens > 0 ? total : 0;
  }

  async #retry(intent: Extract<Intent, { type: "turn.retried" }>, spanId: string | undefined) {
    await this.#giveUp({ isBilled: intent.data.is_billed });
    return this.#let(intent, spanId);
  }

  /** The call came to nothing: it may have been billed, or it certainly was not. */
  async #giveUp({ isBilled }: { isBilled: boolean }): Promise<void> {
    if (!this.#open) return;
    if (!isBilled) return this.#settle(noUsage, 0, { isWell: false });
    const { ask, worst } = this.#open;
    const { model } = this.#order;
    const usage = { ...noUsage, input_tokens: ask.input_tokens, output_tokens: ask.max_tokens, is_assumed: true };
    await this.#settle(usage, model?.card.price ? worst.nanoUsd : null, { isWell: false });
  }

  async #settle(usage: Usage, cost: number | null, { isWell }: { isWell: boolean }): Promise<void> {
    const { job, taskId } = this.#order;
    const call = this.#open;
    this.#open = undefined;
    const actual = sumOf(usage, cost);
    if (actual.tokens > 0 || actual.nanoUsd > 0) {
      this.#spent = addSpent(this.#spent, usage, cost);
      job.budget.record(taskId, usage, cost);
    }
    call?.warming?.failed();
    call?.pass?.end({ isWell, tokens: actual.tokens - usage.cache_read_tokens });
    if (call) call.reservation.settle(actual);
    else job.budget.ledger.charge(this.#account, actual);
    await call?.day?.settle(actual);
  }

  /** Why it may not be made; nothing where it may. */
  async #let(intent: Intent, spanId: string | undefined): Promise<Failure | undefined> {
    // An intent before the last one was answered: that one is not waited for any more.
    await this.#giveUp({ isBilled: true });
    try {
      return await this.#order.during(() => this.#queue(intent, spanId));
    } catch (thrown) {
      const { signal } = this.#order;
      if (!signal.aborted) throw thrown;
      // It never went.
      if (this.#open) await this.#settle(noUsage, 0, { isWell: false });
      return { code: "cancelled", message: "the run is over" };
    }
  }

  async #queue(intent: Intent, spanId: string | undefined): Promise<Failure | undefined> {
    const { model, signal } = this.#order;
    const ask = this.#askOf(intent);
    const worst = this.#worstOf(ask);
    const refused = await this.#waiting("budget", spanId, () => this.#reserve(ask, worst));
    if (refused || !model) return refused;
    await this.#waiting("rate", spanId, async () => {
      const { data } = intent;
      if ("attempt" in data) await this.#pause(backoffMs(data.attempt, this.#chance(), data.retry_after_ms));
      else if (data.opening) await this.#warm(`${model.card.id} ${data.opening.prefix_sha256}`);
      await this.#govern(ask);
    });
    signal.throwIfAborted();
    return undefined;
  }

  #askOf({ data }: Intent): ModelAsk {
    if (data.ask) return data.ask;
    if (!this.#order.model) return { input_tokens: 0, max_tokens: 0 };
    throw new Fault("internal", "a thread asked for a model call without saying what it may take");
  }

  #worstOf(ask: ModelAsk): Sum {
    const { model } = this.#order;
    const options = { longCache: model?.endpoint.capabilities.long_cache ?? false };
    const nanoUsd = worstCostOf(ask, model?.card.price, options) ?? 0;
    return { tokens: ask.input_tokens + ask.max_tokens, nanoUsd };
  }

  async #reserve(ask: ModelAsk, worst: Sum): Promise<Failure | undefined> {
    const { job, equipment, signal } = this.#order;
    const answer = await job.budget.ledger.reserve(this.#account, worst, signal);
    if ("exhausted" in answer) return exhausted(answer.exhausted, worst);
    this.#open = { ask, worst, reservation: answer.granted };
    if (worst.tokens === 0) return undefined;
    const day = await equipment.spending.day?.reserve(worst, signal);
    if (day && "exhausted" in day) {
      await job.log([{ type: "budget.exhausted", data: { scope: "day", ...day.exhausted } }]);
      await this.#settle(noUsage, 0, { isWell: false });
      return dayExhausted(day.exhausted, worst);
    }
    this.#open = { ...this.#open, day: day?.granted };
    if (day?.warned) await job.log([{ type: "budget.warned", data: { scope: "day", ...day.warned } }]);
    return undefined;
  }

  async #warm(prefix: string): Promise<void> {
    const { model, equipment, signal } = this.#order;
    if (!this.#open || !model) return;
    const { capabilities, dropped, name } = model.endpoint;
    if (!capabilities.cache || dropped.includes("cache_control")) return;
    this.#open.warming = await equipment.spending.warm.enter(`${name} ${prefix}`, signal);
  }

  async #govern(ask: ModelAsk): Promise<void> {
    const { model, equipment, signal } = this.#order;
    if (!model || !this.#open) return;
    const { governor, limits } = equipment.spending;
    const lane = { endpoint: model.endpoint.name, model: model.card.id, limits: limits(model.endpoint) };
    const cost = { input: Math.max(0, ask.input_tokens - this.#cached), output: ask.max_tokens };
    this.#open.pass = await governor.enter(lane, cost, signal);
  }

  #pause(ms: number): Promise<void> {
    const { signal, equipment } = this.#order;
    return equipment.spending.wait(ms, signal);
  }

  #chance(): number {
    return this.#order.equipment.spending.random();
  }

  /** Waiting that can be measured is a span below the run's. */
  async #waiting<T>(reason: "rate" | "budget", spanId: string | undefined, wait: () => Promise<T>): Promise<T> {
    const { job, taskId, equipment } = this.#order;
    let span: ReturnType<typeof job.tracer.start> | undefined;
    const prevent = equipment.spending.later(measurableMs, () => {
      const parent = spanId && /^[0-9a-f]{16}$/.test(spanId) ? { ...job.span, spanId } : job.span;
      const attributes = { [attribute.taskId]: taskId, [attribute.waitReason]: reason };
      span = job.tracer.start(queueSpan(taskId), { parent, attributes });
    });
    try {
      return await wait();
    } finally {
      prevent();
      span?.end();
    }
  }

  async #logNews(): Promise<void> {
    const news = this.#order.job.budget.takeNews();
    if (news.length > 0) await this.#order.job.log(news);
  }

  /** In the run's log first. */
  async #tellAgent(spanId: string | undefined): Promise<string[]> {
    const texts = this.#notices();
    const { job, run } = this.#order;
    const told = texts.map((text) => ({ type: "run.notified" as const, data: { kind: "budget" as const, text } }));
    if (told.length > 0) await job.logRun(run, told, spanId);
    return texts;
  }
}

/** Shorter waits are none. */
const measurableMs = 10;

function sumOf(usage: Usage, cost: number | null): Sum {
  const input = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
  return { tokens: input + usage.output_tokens, nanoUsd: cost ?? 0 };
}
