import { assert, asyncProperty, constantFrom, integer, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "../../src/budget/backoff.ts";
import { createGovernor, type Governor } from "../../src/budget/governor.ts";
import type { LaneLimits } from "../../src/budget/lane.ts";
import type { RateSigns } from "../../src/protocol/endpoint.ts";
import { VirtualTime } from "./virtual-time.ts";

const never = new AbortController().signal;

function chances(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface World {
  time: VirtualTime;
  governor: Governor;
  chance: () => number;
}

function world(seed: number): World {
  const time = new VirtualTime();
  const chance = chances(seed);
  return { time, chance, governor: createGovernor({ now: time.now, later: time.later, random: chance }) };
}

/** 50 requests a minute, as a server counts them: by a bucket that fills up evenly, or in fixed minutes. */
class RatedServer {
  readonly #kind: "bucket" | "minutes";
  readonly #tells: boolean;
  readonly #now: () => number;
  #left = 50;
  #at: number;
  refused = 0;
  served = 0;

  constructor(kind: "bucket" | "minutes", tells: boolean, now: () => number) {
    this.#kind = kind;
    this.#tells = tells;
    this.#now = now;
    this.#at = now();
  }

  take(): { status: number; rate: RateSigns } {
    const now = this.#now();
    this.#fill(now);
    const isServed = this.#left >= 1;
    if (isServed) this.#left -= 1;
    if (isServed) this.served += 1;
    else this.refused += 1;
    const resetMs = this.#kind === "bucket" ? (50 - this.#left) * 1_200 : this.#at + 60_000 - now;
    const requests = { limit: 50, remaining: Math.floor(this.#left), reset_ms: resetMs };
    const retry = this.#kind === "bucket" ? Math.ceil((1 - this.#left) * 1_200) : resetMs;
    return {
      status: isServed ? 200 : 429,
      rate: { ...(this.#tells ? { requests } : {}), ...(isServed ? {} : { retry_after_ms: retry }) },
    };
  }

  #fill(now: number): void {
    if (this.#kind === "bucket") {
      this.#left = Math.min(50, this.#left + (now - this.#at) / 1_200);
      this.#at = now;
    } else if (now >= this.#at + 60_000) {
      this.#left = 50;
      this.#at = now;
    }
  }
}

/** One call, tried again until it is answered, as a run does it. */
async function call({ time, governor, chance }: World, limits: LaneLimits, server: RatedServer): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const pass = await governor.enter({ endpoint: "e", model: "m", limits }, { input: 100, output: 100 }, never);
    await time.sleep(20 + chance() * 60);
    const sign = server.take();
    await time.sleep(100 + chance() * 150);
    pass.answered(sign);
    pass.end({ isWell: sign.status === 200 });
    if (sign.status === 200) return;
    await time.sleep(backoffMs(attempt + 1, chance(), sign.rate.retry_after_ms));
  }
}

describe("the governor", () => {
  it.each([
    ["bucket", true, {}],
    ["minutes", true, {}],
    ["bucket", false, {}],
    ["minutes", false, {}],
    ["bucket", true, { requestsPerMinute: 50 }],
    ["minutes", false, { requestsPerMinute: 50 }],
  ] as const)(
    "brings 64 tasks through 50 requests a minute (%s, told: %s, %o): none lost, near what is possible",
    async (kind, tells, limits) => {
      const here = world(7);
      const server = new RatedServer(kind, tells, here.time.now);
      const began = here.time.now();
      const calls = 4;
      const task = async () => {
        for (let turn = 0; turn < calls; turn++) await call(here, limits, server);
      };
      await here.time.run(Promise.all(Array.from({ length: 64 }, task)));
      expect(server.served).toBe(64 * calls);
      const took = here.time.now() - began;
      const rest = 64 * calls - 50;
      // With rates of the operator's own, a minute is a minute wherever it begins.
      const isStepped = kind === "minutes" || "requestsPerMinute" in limits;
      const ideal = isStepped ? Math.ceil(rest / 50) * 60_000 : rest * 1_200;
      // One that says nothing but when to come back is found out about by asking.
      const isBlind = kind === "bucket" && !tells;
      expect(ideal / took).toBeGreaterThanOrEqual(isBlind ? 0.85 : 0.9);
      if ("requestsPerMinute" in limits) expect(server.refused).toBe(0);
    },
  );

  it("never lets more through in any minute than the operator allows, requests and tokens", async () => {
    await assert(
      asyncProperty(
        record({
          seed: integer(),
          requests: integer({ min: 1, max: 60 }),
          tokens: integer({ min: 600, max: 20_000 }),
          count: integer({ min: 1, max: 120 }),
          concurrency: constantFrom(undefined, 1, 5),
        }),
        async ({ seed, requests, tokens, count, concurrency }) => {
          const { time, governor, chance } = world(seed);
          const limits = { requestsPerMinute: requests, tokensPerMinute: tokens, concurrency };
          const sent: { at: number; tokens: number }[] = [];
          let open = 0;
          let mostOpen = 0;
          const one = async () => {
            await time.sleep(chance() * 30_000);
            const cost = { input: Math.floor(chance() * 400), output: Math.floor(chance() * 200) };
            const pass = await governor.enter({ endpoint: "e", model: "m", limits }, cost, never);
            const mine = { at: time.now(), tokens: cost.input + cost.output };
            sent.push(mine);
            mostOpen = Math.max(mostOpen, ++open);
            await time.sleep(chance() * 5_000);
            open -= 1;
            // Less than was reserved, as is known afterwards.
            mine.tokens = Math.floor(mine.tokens * chance());
            pass.end({ isWell: chance() < 0.9, tokens: mine.tokens });
          };
          await time.run(Promise.all(Array.from({ length: count }, one)));
          expect(sent).toHaveLength(count);
          if (concurrency) expect(mostOpen).toBeLessThanOrEqual(concurrency);
          for (const { at } of sent) {
            const minute = sent.filter((each) => each.at >= at && each.at < at + 60_000);
            expect(minute.length).toBeLessThanOrEqual(requests);
            const sum = minute.reduce((total, each) => total + each.tokens, 0);
            expect(sum).toBeLessThanOrEqual(tokens);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("serves in order, forgets who leaves, and lets one endpoint's troubles be its own", async () => {
    const { time, governor } = world(1);
    const lane = { endpoint: "e", model: "m", limits: { concurrency: 1 } };
    const cost = { input: 1, output: 1 };
    const order: string[] = [];
    const first = await governor.enter(lane, cost, never);
    const leaves = new AbortController();
    const left = expect(governor.enter(lane, cost, leaves.signal)).rejects.toThrow("gone");
    const stand = async (name: string) => {
      const pass = await governor.enter(lane, cost, never);
      order.push(`${name} ${pass.hasWaited}`);
      pass.end({ isWell: true });
    };
    const both = Promise.all([stand("second"), stand("third")]);
    leaves.abort(new Error("gone"));
    const other = await governor.enter({ ...lane, endpoint: "other" }, cost, never);
    expect(other.hasWaited).toBe(false);
    first.end({ isWell: true });
    await time.run(Promise.all([both, left]));
    expect(order).toEqual(["second true", "third true"]);
  });

  it("leaves an endpoint alone for as long as it asks, and comes back with fewer at a time", async () => {
    const { time, governor } = world(3);
    const lane = { endpoint: "e", model: "m", limits: {} };
    const cost = { input: 1, output: 1 };
    const passes = await Promise.all(Array.from({ length: 64 }, () => governor.enter(lane, cost, never)));
    const began = time.now();
    for (const pass of passes) {
      pass.answered({ status: 529, rate: { retry_after_ms: 7_000 } });
      pass.end({ isWell: false });
    }
    let open = 0;
    let most = 0;
    const again = async () => {
      const pass = await governor.enter(lane, cost, never);
      expect(time.now() - began).toBeGreaterThanOrEqual(7_000);
      most = Math.max(most, ++open);
      await time.sleep(100);
      open -= 1;
      pass.end({ isWell: true });
    };
    await time.run(Promise.all(Array.from({ length: 64 }, again)));
    expect(most).toBeGreaterThan(20);
    expect(most).toBeLessThan(50);
  });

  it("asks again after five minutes, with one request, whatever it was asked to wait", async () => {
    const { time, governor } = world(3);
    const lane = { endpoint: "e", model: "m", limits: {} };
    const cost = { input: 1, output: 1 };
    const day = 86_400_000;
    const began = time.now();
    const first = await governor.enter(lane, cost, never);
    first.answered({ status: 429, rate: { retry_after_ms: day } });
    first.end({ isWell: false });
    const sent: { at: number; open: number }[] = [];
    let open = 0;
    const one = async () => {
      const pass = await governor.enter(lane, cost, never);
      sent.push({ at: time.now() - began, open: ++open });
      const status = time.now() - began > 600_000 ? 200 : 429;
      await time.sleep(1_000);
      pass.answered({ status, rate: status === 429 ? { retry_after_ms: day } : {} });
      // Others need not wait for the end of a long answer.
      await time.sleep(60_000);
      open -= 1;
      pass.end({ isWell: status === 200 });
    };
    await time.run(Promise.all(Array.from({ length: 20 }, one)));
    expect(sent.slice(0, 3)).toEqual([
      { at: 300_000, open: 1 },
      { at: 601_000, open: 1 },
      { at: 602_000, open: 2 },
    ]);
    expect(sent.at(-1)?.at).toBe(602_000);
    expect(backoffMs(2, 0, day)).toBe(300_000);
  });

  it("waits longer with each attempt, within what chance gives, and never less than it was asked to", () => {
    expect([2, 3, 4, 30].map((attempt) => backoffMs(attempt, 1))).toEqual([500, 1_000, 2_000, 60_000]);
    expect(backoffMs(4, 0)).toBe(0);
    expect(backoffMs(2, 0.5, 9_000)).toBe(9_000);
  });
});
