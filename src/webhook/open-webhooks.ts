import { setTimeout as sleep } from "node:timers/promises";
import { type Clock, newUuid } from "../protocol/ids.ts";
import { Turnstile } from "../protocol/turnstile.ts";
import type { WebhookTarget } from "../settings.ts";
import type { WebhookMessage } from "./message.ts";
import { type Posted, post } from "./post.ts";
import { openSpool, type Spool, type Waiting } from "./spool.ts";

/**
 * Tells receivers of jobs, at least once each, in no promised order. What is not delivered when the process ends stays
 * in the folder, and the next process on it goes on. Nothing here can fail or delay a job.
 */
export interface Webhooks extends AsyncDisposable {
  /** Returns at once. What it was given is safe from the end of the process as soon as its file is written. */
  send(message: WebhookMessage): void;
}

export interface WebhookOptions {
  targets: readonly WebhookTarget[];
  /** Where what waits is kept; made when it is needed. */
  folder: string;
  clock: Clock;
  /** For the operator. Holds no secret and no path of an address. */
  warn(message: string): void;
  /** Waits before the second and each later attempt; a delivery is given up after the last. */
  backoffMs?: readonly number[];
  /** Of one attempt. */
  timeoutMs?: number;
  /** Longest wait for first attempts when it is closed. */
  graceMs?: number;
}

/** As the specification proposes: ten attempts in three days. */
const usualBackoffMs = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map((seconds) => seconds * 1_000);
/** More are refused: a receiver that is away must not fill the disk. */
const mostWaiting = 10_000;
/** Requests to one receiver at a time. */
const mostAtOnce = 4;

export async function openWebhooks(options: WebhookOptions): Promise<Webhooks> {
  const post = new Deliveries(options);
  if (options.targets.length > 0) await post.takeUp();
  return post;
}

class Deliveries implements Webhooks {
  readonly #options: Required<WebhookOptions>;
  readonly #spool: Spool;
  /** No attempt is waited for any longer. */
  readonly #closing = new AbortController();
  /** What is on its way is cut off. */
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** First attempts, and requests on their way: what a close waits for. */
  readonly #awaited = new Set<Promise<void>>();
  readonly #lanes = new Map<string, Turnstile>();

  constructor(options: WebhookOptions) {
    this.#options = { backoffMs: usualBackoffMs, timeoutMs: 15_000, graceMs: 5_000, ...options };
    this.#spool = openSpool(options.folder);
  }

  /** Goes on with what an earlier process left. */
  async takeUp(): Promise<void> {
    for (const id of (await this.#spool.list()).slice(0, mostWaiting)) this.#start(id);
  }

  send(message: WebhookMessage): void {
    for (const target of this.#options.targets.filter(({ events }) => events.includes(message.type))) {
      this.#track(this.#awaited, this.#sendTo(target, message));
    }
  }

  async #sendTo({ url }: WebhookTarget, message: WebhookMessage): Promise<void> {
    const { clock, warn } = this.#options;
    if (this.#running.size >= mostWaiting) return warn(`webhook ${hostOf(url)}: not sent, ${mostWaiting} wait already`);
    if (await this.#spool.isDisabled(url)) return;
    const delivery = {
      id: `msg_${newUuid(clock)}`,
      url,
      body: JSON.stringify(message),
      attempts: 0,
      next_at: clock.now(),
    };
    await this.#spool.put(delivery);
    await this.#start(delivery.id).firstAttempt;
  }

  #start(id: string): { firstAttempt: Promise<void> } {
    const { promise: firstAttempt, resolve } = Promise.withResolvers<void>();
    this.#track(this.#running, this.#pursue(id, resolve).finally(resolve));
    return { firstAttempt };
  }

  /** Attempt after attempt, until it is delivered, given up, or the process ends. */
  async #pursue(id: string, onAttempt: () => void): Promise<void> {
    for (;;) {
      const delivery = await this.#spool.get(id);
      const target = delivery && this.#options.targets.find(({ url }) => url === delivery.url);
      if (!delivery || !target || (await this.#spool.isDisabled(target.url))) return this.#spool.remove(id);
      if (!(await this.#until(delivery.next_at))) return;
      const attempt = this.#laneOf(target.url).pass(() => this.#attempt(delivery, target));
      this.#track(this.#awaited, attempt.then(onAttempt));
      if (await attempt) return;
    }
  }

  /** False when the process ends before that time. */
  async #until(at: number): Promise<boolean> {
    // A clock that jumps back must not stop a delivery for longer than the longest wait.
    const longest = Math.max(...this.#options.backoffMs, 0) * 1.2;
    const ms = Math.min(at - this.#options.clock.now(), longest);
    if (ms <= 0) return true;
    return sleep(ms, true, { signal: this.#closing.signal, ref: false }).catch(() => false);
  }

  /** True when nothing more is to be done here. */
  async #attempt(delivery: Waiting, { secret }: WebhookTarget): Promise<boolean> {
    const { id, url, body } = delivery;
    const { clock, timeoutMs } = this.#options;
    const { signal } = this.#stop;
    if (signal.aborted) return true;
    const posted = await post({ id, url, secret, body, at: clock.now(), timeoutMs, signal });
    // What the end of the process cut short has not failed: the next process tries it again.
    return signal.aborted && posted.state === "failed" ? true : this.#judge(posted, delivery);
  }

  /** True when nothing more is to be done. */
  async #judge(posted: Posted, delivery: Waiting): Promise<boolean> {
    const { warn, backoffMs } = this.#options;
    const { id, url } = delivery;
    const attempts = delivery.attempts + 1;
    const wait = backoffMs[attempts - 1];
    const isOver = posted.state !== "failed" || wait === undefined;
    if (posted.state === "gone") {
      warn(
        `webhook ${hostOf(url)}: it answered 410 and is told nothing more; remove ${await this.#spool.disable(url)} to undo it`,
      );
    } else if (posted.state === "failed") {
      warn(
        `webhook ${hostOf(url)}: ${posted.why}; attempt ${attempts} of ${backoffMs.length + 1}${isOver ? ", given up" : ""}`,
      );
    }
    if (isOver) await this.#spool.remove(id);
    else await this.#spool.put({ ...delivery, attempts, next_at: this.#nextAt(wait, posted) });
    return isOver;
  }

  /** With a fifth of chance either way, so that many do not come back at one moment; Retry-After counts up to a day. */
  #nextAt(wait: number, { retryAfterMs = 0 }: Posted): number {
    const { clock } = this.#options;
    const chance = (clock.random(1)[0] ?? 0) / 255;
    return clock.now() + Math.max(wait * (0.8 + 0.4 * chance), Math.min(retryAfterMs, 86_400_000));
  }

  #laneOf(url: string): Turnstile {
    const lane = this.#lanes.get(url) ?? new Turnstile(mostAtOnce);
    this.#lanes.set(url, lane);
    return lane;
  }

  #track(set: Set<Promise<void>>, work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((thrown: unknown) =>
        this.#options.warn(`webhooks: ${thrown instanceof Error ? thrown.message : String(thrown)}`),
      )
      .finally(() => set.delete(tracked));
    set.add(tracked);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { graceMs } = this.#options;
    this.#closing.abort();
    if (this.#awaited.size > 0) {
      await Promise.race([Promise.all(this.#awaited), sleep(graceMs, undefined, { ref: false })]);
    }
    this.#stop.abort();
    await Promise.all([...this.#awaited, ...this.#running]);
  }
}

/** An address may hold a secret in its path. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "address";
}
