import { setImmediate as nextTick } from "node:timers/promises";
import { array, assert, asyncProperty, constantFrom, integer, record, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { Account, type Sum } from "../../src/budget/account.ts";
import { type BudgetNews, Ledger } from "../../src/budget/ledger.ts";

const sum = (tokens: number, nanoUsd = tokens): Sum => ({ tokens, nanoUsd });

/** A generator of numbers below `most`, the same for the same seed (mulberry32). */
function chances(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % most;
  };
}

/** Calls of random sizes, some of which nobody answers, until the budget ends them. */
async function spendAsAgent(
  run: Account,
  { ledger, chance, holds }: { ledger: Ledger; chance: (most: number) => number; holds: () => void },
): Promise<string> {
  for (let turn = 0; turn < 6; turn++) {
    const worst = sum(chance(900), chance(2_000));
    const answer = await ledger.reserve(run, worst);
    if ("exhausted" in answer) return answer.exhausted.account.scope;
    if (turn === 3 && chance(7) === 0) holds();
    for (let wait = chance(4); wait > 0; wait--) await nextTick();
    if (chance(10) === 0) answer.granted.settleAssumed();
    else answer.granted.settle(sum(chance(worst.tokens + 1), chance(worst.nanoUsd + 1)));
    // A second settlement is none.
    answer.granted.settle(sum(1_000_000));
  }
  return "done";
}

describe("a ledger of reservations", () => {
  it("never lets 1,000 agents exceed any of the nested limits, and never leaves one of them waiting", async () => {
    await assert(
      asyncProperty(
        record({ seed: integer(), job: integer({ min: 0, max: 400_000 }), task: integer({ min: 0, max: 40_000 }) }),
        async ({ seed, job: jobLimit, task: taskLimit }) => {
          const chance = chances(seed);
          const news: BudgetNews[] = [];
          const ledger = new Ledger((told) => news.push(told));
          const job = new Account("job", "job", { limit: sum(jobLimit, jobLimit * 3) });
          const tasks = Array.from(
            { length: 40 },
            (_, index) => new Account("task", `t${index}`, { limit: sum(taskLimit), parent: job }),
          );
          const runs = Array.from({ length: 1_000 }, (_, index) => {
            const parent = tasks[index % tasks.length] ?? job;
            return new Account("run", `r${index}`, { limit: { tokens: 5_000 }, parent });
          });
          const all = [job, ...tasks, ...runs];
          const holds = () => {
            for (const { limit, spent, reserved } of all) {
              expect(spent.tokens + reserved.tokens).toBeLessThanOrEqual(limit.tokens ?? Number.POSITIVE_INFINITY);
              expect(spent.nanoUsd + reserved.nanoUsd).toBeLessThanOrEqual(limit.nanoUsd ?? Number.POSITIVE_INFINITY);
            }
          };
          const ends = await Promise.all(runs.map((run) => spendAsAgent(run, { ledger, chance, holds })));
          expect(ends).toHaveLength(1_000);
          holds();
          expect(ledger.waiting).toBe(0);
          for (const { reserved } of all) expect(reserved).toEqual(sum(0));
          expect(job.spent.tokens).toBe(tasks.reduce((total, task) => total + task.spent.tokens, 0));
          expect(job.spent.nanoUsd).toBe(runs.reduce((total, run) => total + run.spent.nanoUsd, 0));
          const names = news.map(({ kind, scope, id, of, percent }) => `${kind} ${scope} ${id} ${of} ${percent}`);
          expect(new Set(names).size).toBe(names.length);
        },
      ),
      { numRuns: 12 },
    );
  });

  it("gives what comes back to whoever waited first, not to a smaller one behind it", async () => {
    const ledger = new Ledger(() => {});
    const job = new Account("job", "j", { limit: { tokens: 100 } });
    const first = await ledger.reserve(job, sum(60));
    const second = await ledger.reserve(job, sum(40));
    const order: string[] = [];
    const large = ledger.reserve(job, sum(70)).then((answer) => {
      order.push("large");
      return answer;
    });
    const small = ledger.reserve(job, sum(10)).then(() => order.push("small"));
    if ("granted" in second) second.granted.settle(sum(10));
    await nextTick();
    expect(order).toEqual([]);
    if ("granted" in first) first.granted.settle(sum(5));
    await Promise.all([large, small]);
    expect(order).toEqual(["large", "small"]);
  });

  it("lets those of another task go on while one task waits for its own", async () => {
    const ledger = new Ledger(() => {});
    const job = new Account("job", "j", { limit: { tokens: 1_000 } });
    const [one, other] = [1, 2].map((id) => new Account("task", `${id}`, { limit: { tokens: 100 }, parent: job }));
    await ledger.reserve(one ?? job, sum(80));
    void ledger.reserve(one ?? job, sum(50));
    expect(await ledger.reserve(other ?? job, sum(50))).toHaveProperty("granted");
    expect(ledger.waiting).toBe(1);
  });

  it("says at once what can never fit, and which scope it is that is used up", async () => {
    const news: BudgetNews[] = [];
    const ledger = new Ledger((told) => news.push(told));
    const job = new Account("job", "j", { limit: { nanoUsd: 100 } });
    const task = new Account("task", "t", { limit: { tokens: 1_000 }, parent: job });
    ledger.charge(task, sum(50));
    expect(await ledger.reserve(task, sum(51))).toEqual({ exhausted: { account: job, of: "usd" } });
    expect(await ledger.reserve(task, { tokens: 951, nanoUsd: 0 })).toEqual({
      exhausted: { account: task, of: "tokens" },
    });
    expect(await ledger.reserve(task, sum(60))).toHaveProperty("exhausted");
    expect(news.map(({ kind, scope, of }) => [kind, scope, of])).toEqual([
      ["exhausted", "job", "usd"],
      ["exhausted", "task", "tokens"],
    ]);
  });

  it("counts what was really used beyond its estimate, and never grants that part again", async () => {
    const ledger = new Ledger(() => {});
    const job = new Account("job", "j", { limit: { tokens: 100 } });
    const answer = await ledger.reserve(job, sum(90));
    if ("granted" in answer) answer.granted.settle(sum(130));
    expect(job.spent.tokens).toBe(130);
    expect(await ledger.reserve(job, sum(0))).toEqual({ exhausted: { account: job, of: "tokens" } });
  });

  it("forgets who stops waiting, and serves those behind", async () => {
    const ledger = new Ledger(() => {});
    const job = new Account("job", "j", { limit: { tokens: 100 } });
    await ledger.reserve(job, sum(50));
    const stop = new AbortController();
    const large = ledger.reserve(job, sum(99), stop.signal);
    const gone = expect(large).rejects.toThrow("cancelled");
    const small = ledger.reserve(job, sum(50));
    stop.abort(new Error("cancelled"));
    expect(await small).toHaveProperty("granted");
    await gone;
  });

  it("warns once at 80, 90 and 95 percent of each limit, and only of the highest that was passed", async () => {
    await assert(
      asyncProperty(
        array(tuple(integer({ min: 0, max: 40 }), constantFrom(0, 1)), { maxLength: 60 }),
        async (charges) => {
          const news: BudgetNews[] = [];
          const ledger = new Ledger((told) => news.push(told));
          const job = new Account("job", "j", { limit: { tokens: 200 } });
          const tasks = [0, 1].map((id) => new Account("task", `${id}`, { limit: { tokens: 100 }, parent: job }));
          for (const [tokens, index] of charges) ledger.charge(tasks[index] ?? job, sum(tokens));
          for (const account of [job, ...tasks]) {
            const mine = news.filter(({ scope, id }) => scope === account.scope && id === account.id);
            const share = (account.spent.tokens * 100) / (account.limit.tokens ?? 1);
            const reached = [80, 90, 95].filter((percent) => share >= percent);
            expect(mine.map(({ percent }) => percent)).toEqual([...new Set(mine.map((one) => one.percent))].sort());
            expect(mine.at(-1)?.percent).toBe(reached.at(-1));
          }
        },
      ),
    );
  });
});
