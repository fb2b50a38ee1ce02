import type { RateSigns } from "../protocol/endpoint.ts";
import { type CallCost, Lane, type LaneLimits, mostPauseMs, type Permit } from "./lane.ts";

/**
 * The one admission of all threads to all endpoints. Whoever wants to ask a model stands in the line of that model and
 * endpoint; the first goes when its lane has room for it, and nobody before it.
 */
export interface Governor {
  /** Resolves when the request may go. Rejects with the signal's reason. */
  enter(lane: LaneName, cost: CallCost, signal: AbortSignal): Promise<Pass>;
}

export interface LaneName {
  endpoint: string;
  model: string;
  limits: LaneLimits;
}

/** The right to make one request. */
export interface Pass {
  /** Whether it had to wait. */
  readonly hasWaited: boolean;
  answered(sign: { status: number; rate: RateSigns }): void;
  lost(): void;
  /** Once; more than once counts as once. */
  end(how: { isWell: boolean; tokens?: number }): void;
}

/** What several nodes share. */
export interface SharedRates {
  /** How many of these requests, the first ones, may go now, and when the next may. */
  take(lane: LaneName, costs: readonly CallCost[]): Promise<{ granted: number; waitMs: number }>;
  /** For all nodes: this endpoint asked to be left alone. */
  pause(lane: LaneName, ms: number): void;
}

export interface GovernorOptions {
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** Calls `wake` once after so many milliseconds; returns what prevents it. */
  later(ms: number, wake: () => void): () => void;
  shared?: SharedRates | undefined;
}

export function createGovernor(options: GovernorOptions): Governor {
  const lines = new Map<string, Line>();
  return {
    enter(name, cost, signal) {
      const key = `${name.endpoint} ${name.model}`;
      const line = lines.get(key) ?? new Line(name, options);
      lines.set(key, line);
      return line.enter(cost, signal);
    },
  };
}

interface Asked {
  standing: Standing;
  permit: Permit;
}

function isGone({ standing }: Asked): boolean {
  return standing.isGone;
}

interface Standing {
  cost: CallCost;
  hasWaited: boolean;
  /** It left while others were asked for it. */
  isGone: boolean;
  go(pass: Pass): void;
}

/** Most requests that are asked for of other nodes at one time. */
const mostAsked = 32;

class Line {
  readonly #name: LaneName;
  readonly #options: GovernorOptions;
  readonly #lane: Lane;
  #standing: Standing[] = [];
  #cancelWake: (() => void) | undefined;
  #isAsking = false;
  #sharedAt = 0;

  constructor(name: LaneName, options: GovernorOptions) {
    this.#name = name;
    this.#options = options;
    this.#lane = new Lane(name.limits, options.random);
  }

  enter(cost: CallCost, signal: AbortSignal): Promise<Pass> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const leave = () => {
        standing.isGone = true;
        this.#standing = this.#standing.filter((one) => one !== standing);
        reject(signal.reason);
        this.#advance();
      };
      let isThrough = false;
      const standing: Standing = {
        cost,
        hasWaited: false,
        isGone: false,
        go(pass) {
          isThrough = true;
          signal.removeEventListener("abort", leave);
          resolve(pass);
        },
      };
      this.#standing.push(standing);
      this.#advance();
      standing.hasWaited = true;
      if (isThrough) return;
      if (signal.aborted) leave();
      else signal.addEventListener("abort", leave, { once: true });
    });
  }

  #advance(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    if (this.#isAsking) return;
    const { limits } = this.#name;
    const isShared = this.#options.shared && (limits.requestsPerMinute || limits.tokensPerMinute);
    if (isShared) this.#askOthers();
    else this.#admit();
  }

  /** As many as there is room for, in order; then wakes when there is room for the next. */
  #admit(): void {
    let count = 0;
    for (let first = this.#standing[0]; first && this.#isRoomFor(first); first = this.#standing[count]) {
      count += 1;
      first.go(this.#pass(this.#lane.admit(this.#options.now(), first.cost), first));
    }
    if (count > 0) this.#standing.splice(0, count);
  }

  #isRoomFor({ cost }: Standing): boolean {
    const now = this.#options.now();
    const at = Math.max(this.#lane.roomAt(now, cost), this.#sharedAt);
    if (at <= now) return true;
    if (at !== Number.POSITIVE_INFINITY) {
      this.#cancelWake = this.#options.later(Math.max(1, Math.ceil(at - now)), () => this.#advance());
    }
    return false;
  }

  #askOthers(): void {
    const asked: Asked[] = [];
    for (let first = this.#standing[0]; first && asked.length < mostAsked; first = this.#standing[0]) {
      if (!this.#isRoomFor(first)) break;
      this.#standing.shift();
      asked.push({ standing: first, permit: this.#lane.admit(this.#options.now(), first.cost) });
    }
    if (asked.length > 0) void this.#takeShared(asked);
  }

  async #takeShared(asked: readonly Asked[]): Promise<void> {
    this.#isAsking = true;
    const costs = asked.map(({ permit }) => permit.cost);
    // Without the others' word the endpoint's own refusals still hold.
    const everything = { granted: asked.length, waitMs: 0 };
    const { granted, waitMs } =
      (await this.#options.shared?.take(this.#name, costs).catch(() => everything)) ?? everything;
    this.#isAsking = false;
    const [through, left] = [asked.slice(0, granted), asked.slice(granted)];
    for (const { permit } of [...through.filter(isGone), ...left]) this.#lane.takeBack(permit);
    this.#standing.unshift(...left.filter((one) => !isGone(one)).map(({ standing }) => standing));
    for (const { standing, permit } of through) if (!standing.isGone) standing.go(this.#pass(permit, standing));
    if (left.length > 0) this.#sharedAt = this.#options.now() + Math.max(1, waitMs);
    this.#advance();
  }

  #pass(permit: Permit, { hasWaited }: Standing): Pass {
    const { now, shared } = this.#options;
    let isOver = false;
    return {
      hasWaited,
      answered: (sign) => {
        const { isProbing } = this.#lane;
        this.#lane.answered(permit, sign, now());
        if (isProbing) this.#advance();
        const { retry_after_ms: ms } = sign.rate;
        if (sign.status === 429 && ms !== undefined) shared?.pause(this.#name, Math.min(ms, mostPauseMs));
      },
      lost: () => this.#lane.lost(permit),
      end: (how) => {
        if (isOver) return;
        isOver = true;
        this.#lane.end(permit, how);
        this.#advance();
      },
    };
  }
}
