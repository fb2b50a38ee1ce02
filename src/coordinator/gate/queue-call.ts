import type { Account, Sum } from "../../budget/account.ts";
import { backoffMs } from "../../budget/backoff.ts";
import type { DayReservation } from "../../budget/day-budget.ts";
import type { Pass } from "../../budget/governor.ts";
import type { Reservation } from "../../budget/ledger.ts";
import type { Warming } from "../../budget/warm-gate.ts";
import { worstCostOf } from "../../model/cost.ts";
import type { ThreadFact } from "../../protocol/event.ts";
import { type Failure, Fault } from "../../protocol/failure.ts";
import { interrupted } from "../../protocol/past-turn.ts";
import type { ModelAsk } from "../../protocol/run-fact.ts";
import { attribute, queueSpan } from "../../telemetry/semconv.ts";
import { dayExhausted, exhausted } from "./exhausted.ts";
import type { AskedModel, GateOrder } from "./gate-order.ts";

/**
 * The way of one model call to its endpoint: its worst case is reserved, then it waits for the cache entry that it shares
 * with others, then for its rate. It does not settle anything: whoever began it does, however far it came.
 */
export type CallIntent = Extract<ThreadFact, { type: "turn.started" | "turn.retried" }>;

/** A call that was let through, or is on its way. */
export interface OpenCall {
  ask: ModelAsk;
  reservation: Reservation;
  /** Of the budgets that another process keeps. */
  notices?: readonly string[];
  day?: DayReservation | undefined;
  warming?: Warming | undefined;
  pass?: Pass | undefined;
  /** Its endpoint said no to its last attempt. */
  isRefused?: boolean;
}

export interface Queue {
  order: GateOrder;
  account: Account;
  spanId: string | undefined;
  /** Tokens of its input that a cache is thought to answer. */
  cached: number;
  /** Told as soon as something is reserved for it. */
  opened(call: OpenCall): void;
}

/** Why it may not be made; nothing where it may. Rejects with the signal's reason. */
export async function queueCall(intent: CallIntent, queue: Queue): Promise<Failure | undefined> {
  const { model, signal } = queue.order;
  const ask = askOf(intent, model);
  const call = await waiting("budget", queue, () => reserve(ask, queue));
  if ("failure" in call) return call.failure;
  if (!model) return undefined;
  await waiting("rate", queue, async () => {
    await standBy(intent, call, { model, queue });
    await govern(call, { model, queue });
  });
  signal.throwIfAborted();
  return undefined;
}

function askOf({ data }: CallIntent, model: AskedModel | undefined): ModelAsk {
  if (data.ask) return data.ask;
  if (!model) return { input_tokens: 0, max_tokens: 0 };
  throw new Fault("internal", "a thread asked for a model call without saying what it may take");
}

async function reserve(ask: ModelAsk, queue: Queue): Promise<OpenCall | { failure: Failure }> {
  const { job, signal, model } = queue.order;
  const worst = worstOf(ask, model);
  const answer = await job.budget.reserve(queue.account, worst, signal);
  if ("refused" in answer) return { failure: answer.refused };
  if ("exhausted" in answer) return { failure: exhausted(answer.exhausted, worst) };
  const call: OpenCall = {
    ask,
    reservation: answer.granted,
    ...("notices" in answer ? { notices: answer.notices } : {}),
  };
  queue.opened(call);
  const failure = worst.tokens > 0 ? await reserveOfDay(call, worst, queue) : undefined;
  return failure ? { failure } : call;
}

function worstOf(ask: ModelAsk, model: AskedModel | undefined): Sum {
  const options = { longCache: model?.endpoint.capabilities.long_cache ?? false };
  const nanoUsd = worstCostOf(ask, model?.card.price, options) ?? 0;
  return { tokens: ask.input_tokens + ask.max_tokens, nanoUsd };
}

async function reserveOfDay(call: OpenCall, worst: Sum, { order }: Queue): Promise<Failure | undefined> {
  const { job, equipment, signal } = order;
  const day = await equipment.spending.day?.reserve(worst, signal);
  if (!day) return undefined;
  if ("exhausted" in day) {
    await job.log([{ type: "budget.exhausted", data: { scope: "day", ...day.exhausted } }]);
    return dayExhausted(day.exhausted, worst);
  }
  call.day = day.granted;
  if (day.warned) await job.log([{ type: "budget.warned", data: { scope: "day", ...day.warned } }]);
  return undefined;
}

interface Asking {
  model: AskedModel;
  queue: Queue;
}

/** Before another attempt for a while; before the first call of a run, for whoever warms the cache for it. */
async function standBy({ data }: CallIntent, call: OpenCall, { model, queue }: Asking): Promise<void> {
  const { spending } = queue.order.equipment;
  const { signal } = queue.order;
  if ("attempt" in data) {
    // No endpoint failed: it was the process that asked.
    if (data.reason === interrupted) return;
    // The endpoint said when it has room, and the governor holds everybody until then: to wait for longer would waste it.
    if (data.status === 429 && (data.retry_after_ms ?? 0) > 0) return;
    await spending.wait(backoffMs(data.attempt, spending.random(), data.retry_after_ms), signal);
  } else if (data.opening && isCached(model)) {
    const prefix = `${model.endpoint.name} ${model.card.id} ${data.opening.prefix_sha256}`;
    call.warming = await spending.warm.enter(prefix, signal);
  }
}

function isCached({ endpoint: { capabilities, dropped } }: AskedModel): boolean {
  return capabilities.cache && !dropped.includes("cache_control");
}

async function govern(call: OpenCall, { model, queue }: Asking): Promise<void> {
  const { governor, limits } = queue.order.equipment.spending;
  const lane = { endpoint: model.endpoint.name, model: model.card.id, limits: limits(model.endpoint) };
  const { input_tokens, max_tokens } = call.ask;
  const cost = { input: Math.max(0, input_tokens - queue.cached), output: max_tokens };
  call.pass = await governor.enter(lane, cost, queue.order.signal);
}

/** Shorter waits are none. */
const measurableMs = 10;

/** Waiting that can be measured is a span below the run's. */
async function waiting<T>(reason: "rate" | "budget", { order, spanId }: Queue, wait: () => Promise<T>): Promise<T> {
  const { job, taskId, equipment } = order;
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
