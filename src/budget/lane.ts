import type { RateSigns } from "../protocol/endpoint.ts";
import { RateWindow, type Taken } from "./rate-window.ts";
import { ToldRate } from "./told-rate.ts";

/**
 * When the next request to one model behind one endpoint may go: by the operator's rates, by what the endpoint tells of
 * its own, by how many at a time it has proven to take, and not while it asked to be left alone. It has no clock, no
 * timers and no queue. Times are milliseconds, amounts are tokens.
 */
export interface LaneLimits {
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
  concurrency?: number | undefined;
  /** At a time, until it has shown what it takes. */
  first?: number | undefined;
}

export interface CallCost {
  /** Of those that count against a rate: not what a cache will answer. */
  input: number;
  output: number;
}

/** One request under way. */
export interface Permit {
  readonly ordinal: number;
  readonly cost: CallCost;
  readonly marks: Record<keyof Told, number>;
  /** It went because time had passed since there was no room. */
  readonly isByTime: boolean;
  readonly request: Taken | undefined;
  readonly tokens: Taken | undefined;
}

interface Told {
  requests: ToldRate;
  input_tokens: ToldRate;
  output_tokens: ToldRate;
  tokens: ToldRate;
}

const toldKinds = ["requests", "input_tokens", "output_tokens", "tokens"] as const;

/** While an endpoint shows no strain this doubles with each round. */
const firstConcurrency = 64;
const mostRefusalPauseMs = 60_000;
/** Whoever asks for more is asked again by one request after that: it may have meant an account that has credit by then. */
export const mostPauseMs = 5 * 60_000;

export class Lane {
  readonly #limits: LaneLimits;
  readonly #random: () => number;
  readonly #told: Told = {
    requests: new ToldRate(),
    input_tokens: new ToldRate(),
    output_tokens: new ToldRate(),
    tokens: new ToldRate(),
  };
  readonly #requests: RateWindow | undefined;
  readonly #tokens: RateWindow | undefined;
  #open = 0;
  #ordinal = 0;
  /** Additive increase, multiplicative decrease. */
  #concurrency: number;
  #isStrained = false;
  /** Requests up to this one were sent before the last decrease, and say nothing of what holds since. */
  #decreasedAt = 0;
  #pausedUntil = 0;
  #refusals = 0;
  /** After a pause that was cut short one request goes at a time, until one that was sent after this is answered. */
  #probesAfter = Number.POSITIVE_INFINITY;

  /** `random` gives numbers from 0 to 1. */
  constructor(limits: LaneLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
    this.#concurrency = Math.min(limits.first ?? firstConcurrency, limits.concurrency ?? Number.POSITIVE_INFINITY);
    this.#requests = limits.requestsPerMinute ? new RateWindow(limits.requestsPerMinute) : undefined;
    this.#tokens = limits.tokensPerMinute ? new RateWindow(limits.tokensPerMinute) : undefined;
  }

  get open(): number {
    return this.#open;
  }

  get isProbing(): boolean {
    return this.#probesAfter !== Number.POSITIVE_INFINITY;
  }

  /** The earliest time at which such a request may go; infinite: when another has been answered. */
  roomAt(now: number, cost: CallCost): number {
    const most = this.isProbing ? 1 : Math.floor(this.#concurrency);
    if (this.#open >= most) return Number.POSITIVE_INFINITY;
    const own = Math.max(
      this.#pausedUntil,
      this.#requests?.roomAt(now, 1) ?? now,
      this.#tokens?.roomAt(now, cost.input + cost.output) ?? now,
    );
    const told = Math.max(...toldKinds.map((kind) => this.#told[kind].roomAt(now, amountOf(kind, cost))));
    if (told !== Number.POSITIVE_INFINITY) return Math.max(now, own, told);
    if (this.#open > 0) return told;
    // Nobody is left who could be told anything else.
    for (const kind of toldKinds) this.#told[kind].forget();
    return Math.max(now, own);
  }

  admit(now: number, cost: CallCost): Permit {
    this.#open += 1;
    this.#ordinal += 1;
    const mark = (kind: keyof Told) => this.#told[kind].send(amountOf(kind, cost));
    return {
      ordinal: this.#ordinal,
      cost,
      marks: {
        requests: mark("requests"),
        input_tokens: mark("input_tokens"),
        output_tokens: mark("output_tokens"),
        tokens: mark("tokens"),
      },
      isByTime: this.#told.requests.isByTime,
      request: this.#requests?.take(now, 1),
      tokens: this.#tokens?.take(now, cost.input + cost.output),
    };
  }

  /** An HTTP answer: of any status. */
  answered(permit: Permit, { status, rate }: { status: number; rate: RateSigns }, now: number): void {
    for (const kind of toldKinds) {
      const window = rate[kind];
      if (window) this.#told[kind].told(window, permit.marks[kind], now);
    }
    if (permit.isByTime) this.#told.requests.foundOut({ isRefused: status === 429 });
    if (status === 429) {
      this.#pause(now, rate.retry_after_ms ?? this.#refusalPause());
      this.#decrease(permit, 0.8);
    } else if (status === 503 || status === 529) {
      if (rate.retry_after_ms !== undefined) this.#pause(now, rate.retry_after_ms);
      this.#decrease(permit, 0.6);
    } else if (permit.ordinal > this.#probesAfter) this.#probesAfter = Number.POSITIVE_INFINITY;
  }

  /** The connection broke, or nothing came. */
  lost(permit: Permit): void {
    this.#decrease(permit, 0.6);
  }

  /** Somebody asked that it be left alone for so long. */
  pause(now: number, ms: number): void {
    this.#pause(now, ms);
  }

  /** The request is over; `tokens` is what it took of the rate, where that is known. */
  end(permit: Permit, { isWell, tokens }: { isWell: boolean; tokens?: number | undefined }): void {
    this.#open -= 1;
    if (permit.tokens && tokens !== undefined) this.#tokens?.correct(permit.tokens, tokens);
    if (!isWell) return;
    this.#refusals = 0;
    const most = this.#limits.concurrency ?? Number.POSITIVE_INFINITY;
    const isUsed = this.#open * 2 >= this.#concurrency;
    if (isUsed) this.#concurrency = Math.min(most, this.#concurrency + (this.#isStrained ? 1 / this.#concurrency : 1));
  }

  /** It never went. */
  takeBack(permit: Permit): void {
    this.#open -= 1;
    for (const kind of toldKinds) this.#told[kind].unsend(amountOf(kind, permit.cost));
    if (permit.request) this.#requests?.correct(permit.request, 0);
    if (permit.tokens) this.#tokens?.correct(permit.tokens, 0);
  }

  #decrease({ ordinal }: Permit, factor: number): void {
    if (ordinal <= this.#decreasedAt) return;
    this.#decreasedAt = this.#ordinal;
    this.#isStrained = true;
    // Nodes that were refused together do not come back in step.
    const jitter = 0.9 + 0.2 * this.#random();
    this.#concurrency = Math.max(1, this.#concurrency * factor * jitter);
  }

  #refusalPause(): number {
    this.#refusals = Math.min(this.#refusals + 1, 8);
    return this.#random() * Math.min(mostRefusalPauseMs, 250 * 2 ** this.#refusals);
  }

  #pause(now: number, ms: number): void {
    if (ms > mostPauseMs) this.#probesAfter = this.#ordinal;
    this.#pausedUntil = Math.max(this.#pausedUntil, now + Math.min(ms, mostPauseMs));
  }
}

function amountOf(kind: keyof Told, { input }: CallCost): number {
  if (kind === "requests") return 1;
  // What an answer will take is known at its end alone: its worst case would stop all others.
  return kind === "output_tokens" ? 1 : input;
}
