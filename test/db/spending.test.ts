import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDayBudget } from "../../src/budget/day-budget.ts";
import { createGovernor } from "../../src/budget/governor.ts";
import type { Database } from "../../src/db/database.ts";
import { assumeReserved, readDay, reserveOfDay, settleOfDay } from "../../src/db/day-budget.ts";
import { openDatabase } from "../../src/db/open.ts";
import { recordUsage } from "../../src/db/record-usage.ts";
import { pauseRate, takeRate } from "../../src/db/shared-rates.ts";
import { noUsage } from "../../src/protocol/message.ts";
import { migrations, template } from "../support/database.ts";
import { databases } from "../support/databases.ts";
import { startPostgres } from "../support/postgres.ts";

const sum = (tokens: number, nanoUsd = tokens) => ({ tokens, nanoUsd });

/** Clients that reserve and settle side by side, on as many nodes as there are databases; the most there ever was. */
async function spendSideBySide(nodes: readonly Database[], place: { tenant: string; day: string }, limit: number) {
  let granted = 0;
  let highest = 0;
  const client = async (index: number) => {
    const database = nodes[index % nodes.length] ?? nodes[0];
    if (!database) return;
    for (let turn = 0; turn < 4; turn++) {
      const wanted = sum(10 + ((index * 7 + turn * 3) % 40));
      const books = await reserveOfDay(place, { wanted, limit: { tokens: limit } }, database);
      if (!books) continue;
      granted += 1;
      highest = Math.max(highest, books.spent_tokens + books.reserved_tokens);
      await settleOfDay(place, { reserved: wanted, actual: sum(wanted.tokens - (index % 5)) }, database);
    }
  };
  await Promise.all(Array.from({ length: 40 }, (_, index) => client(index)));
  return { granted, highest };
}

describe.each(databases)("spending on $name", ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  }, 60_000);
  afterAll(() => database.close());

  it("never lets clients side by side exceed a day, and knows what each has given back", async () => {
    const place = { tenant: "one", day: "2026-11-23" };
    const { granted, highest } = await spendSideBySide([database], place, 1_500);
    expect(granted).toBeGreaterThan(30);
    expect(highest).toBeLessThanOrEqual(1_500);
    const books = await readDay(place, database);
    expect(books.reserved_tokens).toBe(0);
    expect(books.spent_tokens).toBeLessThanOrEqual(1_500);
    expect(books.spent_nano_usd).toBe(books.spent_tokens);
  });

  it("refuses what never fits, waits for what others hold, and begins anew with each day", async () => {
    let now = Date.parse("2026-11-23T23:59:00Z");
    const waits: number[] = [];
    const wait = async (ms: number) => {
      waits.push(ms);
      now += ms;
      if (waits.length === 3 && "granted" in first) await first.granted.settle(sum(20));
    };
    const day = createDayBudget({ tenant: "two", limit: { tokens: 100 }, now: () => now, wait }, database);
    const never = new AbortController().signal;
    const first = await day.reserve(sum(90), never);
    expect(await day.reserve(sum(101), never)).toMatchObject({
      exhausted: { of: "tokens", id: "2026-11-23", limit: 100 },
    });
    const second = await day.reserve(sum(70), never);
    expect(waits).toHaveLength(3);
    if ("granted" in second) await second.granted.settle(sum(70));
    expect(await day.reserve(sum(11), never)).toHaveProperty("exhausted");
    expect(await day.reserve(sum(10), never)).toMatchObject({ warned: { percent: 90, spent: 90 } });
    now += 120_000;
    expect(await day.reserve(sum(100), never)).toHaveProperty("granted");
  });

  it("lets those that wait stand in one line: the first of them looks, no smaller one goes before it, and one may leave", async () => {
    let now = Date.parse("2026-11-23T10:00:00Z");
    let looks = 0;
    const wait = async () => {
      looks += 1;
      now += 500;
      if (looks === 4 && "granted" in first) await first.granted.settle(sum(0));
    };
    const day = createDayBudget({ tenant: "line", limit: { tokens: 100 }, now: () => now, wait }, database);
    const never = new AbortController().signal;
    const first = await day.reserve(sum(50), never);
    const order: string[] = [];
    const stand = async (name: string, tokens: number) => {
      const answer = await day.reserve(sum(tokens), never);
      order.push(`${name} after ${looks} looks`);
      if ("granted" in answer) await answer.granted.settle(sum(0));
    };
    const large = stand("large", 90);
    const leaves = new AbortController();
    const left = day.reserve(sum(80), leaves.signal).catch(() => "left");
    const small = Array.from({ length: 20 }, (_, index) => stand(`small ${index}`, 70));
    leaves.abort();
    expect(await left).toBe("left");
    await Promise.all([large, ...small]);
    expect(order[0]).toBe("large after 4 looks");
    expect(order).toHaveLength(21);
    expect(await readDay({ tenant: "line", day: "2026-11-23" }, database)).toMatchObject({ reserved_tokens: 0 });
  });

  it("waits for a node that is gone only so long, and counts what it had as spent", async () => {
    const place = { tenant: "three", day: "2026-11-23" };
    await reserveOfDay(place, { wanted: sum(80), limit: { tokens: 100 } }, database);
    let now = Date.parse("2026-11-23T10:00:00Z");
    const wait = async () => {
      now += 60_000;
    };
    const day = createDayBudget({ tenant: "three", limit: { tokens: 100 }, now: () => now, wait }, database);
    expect(await day.reserve(sum(30), new AbortController().signal)).toHaveProperty("exhausted");
    expect(now).toBeGreaterThan(Date.parse("2026-11-23T10:15:00Z"));
    await assumeReserved(database);
    expect(await readDay(place, database)).toMatchObject({ spent_tokens: 80, reserved_tokens: 0 });
  });

  it("adds up what runs used of each model and day", async () => {
    const usage = { ...noUsage, input_tokens: 5, output_tokens: 7, cache_read_tokens: 11 };
    const used = { tenant: "one", day: "2026-11-23", model: "m", usage, costNanoUsd: 13, isCostKnown: true };
    await recordUsage(used, database.orm);
    await recordUsage({ ...used, isCostKnown: false }, database.orm);
    await recordUsage({ ...used, day: "2026-11-24" }, database.orm);
    const answer = await database.orm.execute("select * from sheaf.usage order by day");
    expect(answer).toHaveProperty("rows.0.runs", expect.anything());
    expect(answer).toMatchObject({
      rows: [
        { day: "2026-11-23", is_cost_known: false },
        { day: "2026-11-24", is_cost_known: true },
      ],
    });
    expect(JSON.stringify(answer).replaceAll('"', "")).toContain(
      "input_tokens:10,output_tokens:14,cache_read_tokens:22",
    );
  });

  it("lets no more than a rate through at once, in order, and nobody while it is paused", async () => {
    const question = { lane: "e m", tokens: Array.from({ length: 100 }, () => 1), requestsPerMinute: 60 };
    const first = await takeRate(question, database);
    const second = await takeRate(question, database);
    expect([first.granted, second.granted]).toEqual([2, 0]);
    // The next two fit when the time of those before has passed, but for three seconds: after this, and not before.
    for (const { waitMs } of [first, second]) expect(waitMs).toBeGreaterThan(0);
    expect(first.waitMs).toBeLessThanOrEqual(1_200);
    const large = { lane: "e large", tokens: [10_000, 1], tokensPerMinute: 1_000 };
    expect(await takeRate(large, database)).toMatchObject({ granted: 1 });
    expect((await takeRate(large, database)).waitMs).toBeGreaterThan(600_000);
    await pauseRate("e paused", 30_000, database);
    expect((await takeRate({ lane: "e paused", tokens: [1] }, database)).waitMs).toBeGreaterThan(20_000);
  });
});

describe("a line that shares its rate", () => {
  it("asks for as many as may go together, and not again before they may", async () => {
    const { open } = databases[0] ?? fail();
    const database = await open();
    const leave = new AbortController();
    try {
      const asked: number[] = [];
      const later = (ms: number, wake: () => void) => {
        const timer = setTimeout(wake, ms);
        return () => clearTimeout(timer);
      };
      const shared = {
        async take(_: unknown, costs: readonly unknown[]) {
          const tokens = costs.map(() => 1);
          const answer = await takeRate({ lane: "e few", tokens, requestsPerMinute: 50 }, database);
          asked.push(answer.granted);
          return answer;
        },
        pause() {},
      };
      const governor = createGovernor({ now: Date.now, random: () => 0.5, later, shared });
      const lane = { endpoint: "e", model: "m", limits: { requestsPerMinute: 50 } };
      const lines = Array.from({ length: 64 }, () =>
        governor.enter(lane, { input: 1, output: 0 }, leave.signal).then(
          () => 1,
          () => 0,
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      leave.abort(new Error("enough"));
      const through = (await Promise.all(lines)).reduce((sum: number, one) => sum + one, 0);
      expect(asked.length).toBeLessThanOrEqual(6);
      expect(through).toBe(asked.reduce((sum, one) => sum + one, 0));
      expect(Math.max(...asked)).toBe(2);
    } finally {
      leave.abort();
      await database.close();
    }
  }, 60_000);
});

describe("several nodes on one PostgreSQL", () => {
  it("never exceed a day together, nor a rate", async () => {
    const server = await startPostgres();
    const url = await server.createDatabase();
    const openNode = () => openDatabase({ url, folder: "/nonexistent", template, migrations });
    const nodes = [await openNode(), await openNode(), await openNode()];
    try {
      const place = { tenant: "one", day: "2026-11-23" };
      const { granted, highest } = await spendSideBySide(nodes, place, 1_500);
      expect(granted).toBeGreaterThan(30);
      expect(highest).toBeLessThanOrEqual(1_500);
      expect((await readDay(place, nodes[0] ?? fail())).reserved_tokens).toBe(0);
      const asked = await Promise.all(
        Array.from({ length: 90 }, (_, index) =>
          takeRate({ lane: "e m", tokens: [1], requestsPerMinute: 600 }, nodes[index % 3] ?? fail()),
        ),
      );
      const through = asked.reduce((sum, { granted: count }) => sum + count, 0);
      expect(through).toBeGreaterThanOrEqual(28);
      expect(through).toBeLessThanOrEqual(90);
    } finally {
      for (const node of nodes) await node.close();
      await server.close();
    }
  }, 60_000);
});

function fail(): never {
  throw new Error("there is no such node");
}
