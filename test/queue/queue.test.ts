import { setTimeout as sleep } from "node:timers/promises";
import type { SQL } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { systemClock as clock } from "../../src/clock.ts";
import type { Database } from "../../src/db/database.ts";
import { sql } from "../../src/db/drizzle.ts";
import { jobId, newUuid, runId } from "../../src/protocol/ids.ts";
import { openQueue, type QueueOptions } from "../../src/queue/open-queue.ts";
import type { HeldWake, Queue, Wake } from "../../src/queue/queue.ts";
import { databases } from "../support/databases.ts";

describe.each(databases)("a queue on $name", ({ open }) => {
  let database: Database;
  const opened: Queue[] = [];
  beforeAll(async () => {
    database = await open();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((queue) => queue.close()));
    await database.orm.execute(sql`delete from sheaf_queue.job_common`);
  });
  afterAll(() => database.close());

  async function openNode(options: Partial<QueueOptions> = {}): Promise<Node> {
    const queue = await openQueue({
      ...{ name: "runs", database, clock, node: "node", limits: { perNode: 10 }, isEmbedded: false },
      ...options,
    });
    opened.push(queue);
    return { queue, taken: [], lost: [], poisoned: [] };
  }

  test("wakes each run once, with what was sent", async () => {
    const node = await openNode();
    const sent = wakes(3);
    await node.queue.send(sent);
    start(node);
    await vi.waitFor(() => expect(node.taken).toHaveLength(3));
    expect(node.taken.map(({ id, crashes, ...wake }) => wake)).toEqual(sent);
    expect(node.taken.map(({ crashes }) => crashes)).toEqual([0, 0, 0]);
    expect(await node.queue.complete(node.taken)).toEqual([]);
    expect(await node.queue.depth()).toEqual({ queued: 0, held: 0 });
  });

  test("does not queue a run twice, and wakes it as early and as urgently as anybody asked", async () => {
    const { queue } = await openNode();
    const [first, second] = wakes(2, { startAfter: new Date(clock.now() + 3_600_000) });
    if (!first || !second) throw new Error("two");
    await queue.send([first, second]);
    await queue.send([
      { ...bare(first), priority: 2 },
      { ...bare(first), priority: 1 },
    ]);
    expect(await queue.depth()).toEqual({ queued: 2, held: 0 });
    const node = start(await openNode());
    await vi.waitFor(() => expect(node.taken).toMatchObject([{ runId: first.runId, priority: 2 }]));
  });

  test("keeps what is sent to a run that is held for when that has ended", async () => {
    const node = start(await openNode());
    const [wake] = wakes(1);
    if (!wake) throw new Error("one");
    await node.queue.send([wake]);
    await vi.waitFor(() => expect(node.taken).toHaveLength(1));
    await node.queue.send([wake]);
    await node.queue.send([wake]);
    expect(await node.queue.depth()).toEqual({ queued: 1, held: 1 });
    await sleep(50);
    expect(node.taken).toHaveLength(1);
    await node.queue.complete(node.taken);
    await vi.waitFor(() => expect(node.taken).toHaveLength(2));
    expect(node.taken[1]?.runId).toBe(wake.runId);
  });

  test("sends and completes in its caller's transaction, or not at all", async () => {
    const node = start(await openNode());
    const [wake, other] = wakes(2);
    if (!wake || !other) throw new Error("two");
    await expect(
      database.orm.transaction(async (orm) => {
        await node.queue.send([wake], orm);
        throw new Error("changed my mind");
      }),
    ).rejects.toThrow("changed my mind");
    expect(await node.queue.depth()).toEqual({ queued: 0, held: 0 });
    await database.orm.transaction((orm) => node.queue.send([wake], orm));
    await vi.waitFor(() => expect(node.taken).toHaveLength(1));
    const complete = () =>
      database.orm.transaction(async (orm) => {
        expect(await node.queue.complete(node.taken, orm)).toEqual([]);
        await node.queue.send([other], orm);
        if (node.taken.length === 1 && !isSecond) throw new Error("not yet");
      });
    let isSecond = false;
    await expect(complete()).rejects.toThrow("not yet");
    expect(await node.queue.depth()).toEqual({ queued: 0, held: 1 });
    isSecond = true;
    await complete();
    await vi.waitFor(() => expect(node.taken).toHaveLength(2));
    expect(node.lost).toEqual([]);
  });

  test("puts back what was not begun, at once or for later, which is no crash", async () => {
    const node = start(await openNode());
    await node.queue.send(wakes(1));
    await vi.waitFor(() => expect(node.taken).toHaveLength(1));
    await node.queue.putBack(held(node, 0));
    await vi.waitFor(() => expect(node.taken).toHaveLength(2));
    expect(node.taken[1]?.crashes).toBe(0);
    expect(node.taken[1]?.id).not.toBe(node.taken[0]?.id);
    expect(await node.queue.complete([held(node, 0)])).toEqual([node.taken[0]]);
    const startAfter = new Date(clock.now() + 300);
    await node.queue.putBack(held(node, 1), startAfter);
    await vi.waitFor(() => expect(node.taken).toHaveLength(3), 5_000);
    expect(clock.now()).toBeGreaterThanOrEqual(startAfter.getTime());
  });

  test("puts back as one wake what was woken again meanwhile", async () => {
    const node = start(await openNode({ limits: { perNode: 1 } }));
    const [wake] = wakes(1);
    if (!wake) throw new Error("one");
    await node.queue.send([wake]);
    await vi.waitFor(() => expect(node.taken).toHaveLength(1));
    await node.queue.send([{ ...wake, startAfter: new Date(clock.now() + 3_600_000) }]);
    await node.queue.putBack(held(node, 0));
    await vi.waitFor(() => expect(node.taken).toHaveLength(2));
    expect(await node.queue.depth()).toEqual({ queued: 0, held: 1 });
  });

  test("knows what it completed, took and put back when only the answer of the database was lost", async () => {
    const mishaps: string[] = [];
    const node = await openNode({ database: losingAnswers(database, mishaps), leaseMs: 2_000 });
    const sent = wakes(2);
    mishaps.push("send_wakes");
    await node.queue.send(sent);
    expect(await node.queue.depth()).toEqual({ queued: 2, held: 0 });
    mishaps.push("take_wakes");
    start(node);
    await vi.waitFor(() => expect(node.taken).toHaveLength(2), 5_000);
    expect(node.taken.map(({ crashes }) => crashes)).toEqual([0, 0]);
    mishaps.push("end_wakes", "return_wakes");
    expect(await node.queue.complete([held(node, 0)])).toEqual([]);
    await node.queue.putBack(held(node, 1), new Date(clock.now() + 3_600_000));
    expect(await node.queue.depth()).toEqual({ queued: 1, held: 0 });
    expect(mishaps).toEqual([]);
    expect(node.lost).toEqual([]);
  });

  test("forgets what is withdrawn, and leaves what is held", async () => {
    const node = await openNode({ limits: { perNode: 1 } });
    const sent = wakes(3);
    await node.queue.send(sent);
    start(node);
    await vi.waitFor(() => expect(node.taken).toHaveLength(1));
    await node.queue.withdraw(sent.map((wake) => wake.runId));
    expect(await node.queue.depth()).toEqual({ queued: 0, held: 1 });
    expect(await node.queue.complete(node.taken)).toEqual([]);
  });

  test("refuses more than may wait, naming it, but not what is owed", async () => {
    const { queue } = await openNode({ most: 5 });
    await queue.send(wakes(4));
    await expect(queue.send(wakes(2))).rejects.toMatchObject({
      code: "overloaded",
      message: expect.stringContaining("5"),
    });
    await queue.send(wakes(2), undefined, { isOwed: true });
    expect(await queue.depth()).toEqual({ queued: 6, held: 0 });
  });

  test("gives what a silent node held to another, one crash older, and tells the one that wakes up again", async () => {
    const silent = await openNode({ leaseMs: 1_000, limits: { perNode: 1 } });
    const [sent] = wakes(1);
    if (!sent) throw new Error("one");
    await silent.queue.send([sent]);
    start(silent);
    await vi.waitFor(() => expect(silent.taken).toHaveLength(1));
    await silent.queue.close();
    const other = start(await openNode({ leaseMs: 1_000 }));
    await vi.waitFor(() => expect(other.taken).toMatchObject([{ runId: sent.runId, crashes: 1 }]), 5_000);
    expect(silent.queue.leaseUntil()).toBeLessThan(clock.now());
    expect(other.queue.leaseUntil()).toBeGreaterThan(clock.now());
    expect(await silent.queue.complete(silent.taken)).toEqual(silent.taken);
    await silent.queue.putBack(held(silent, 0));
    expect(await other.queue.depth()).toEqual({ queued: 0, held: 1 });
    expect(await other.queue.complete(other.taken)).toEqual([]);
  });

  test("holds for as long as it lives, and says so when something was taken from it", async () => {
    const node = start(await openNode({ leaseMs: 2_000 }));
    const other = start(await openNode({ leaseMs: 2_000 }));
    await node.queue.send(wakes(5));
    await vi.waitFor(() => expect(node.taken.length + other.taken.length).toBe(5));
    await sleep(4_500);
    expect([...node.lost, ...other.lost]).toEqual([]);
    expect(node.taken.length + other.taken.length).toBe(5);
    const holder = node.taken.length > 0 ? node : other;
    await database.orm.execute(sql`delete from sheaf_queue.job_common where id = ${holder.taken[0]?.id}`);
    await vi.waitFor(() => expect(holder.lost).toEqual([holder.taken[0]]), 5_000);
  });

  test("hands a wake that outlives its holders to whoever fails its run, once", async () => {
    const [sent] = wakes(1);
    if (!sent) throw new Error("one");
    const sender = await openNode();
    await sender.queue.send([sent]);
    for (let deaths = 0; deaths < 2; deaths++) {
      const victim = start(await openNode({ isEmbedded: true, mostCrashes: 1 }));
      await vi.waitFor(() => expect(victim.taken).toMatchObject([{ crashes: deaths }]));
      await victim.queue.close();
    }
    const node = start(await openNode({ isEmbedded: true, mostCrashes: 1 }));
    const other = start(await openNode({ mostCrashes: 1 }));
    await vi.waitFor(() =>
      expect([...node.poisoned, ...other.poisoned]).toMatchObject([{ runId: sent.runId, crashes: 2 }]),
    );
    await vi.waitFor(async () => expect(await node.queue.depth()).toEqual({ queued: 0, held: 0 }));
    expect([...node.taken, ...other.taken]).toEqual([]);
    const { rows } = (await database.orm.execute(
      sql`select singleton_key as run from sheaf_queue.job_common where state = 'failed'`,
    )) as unknown as { rows: unknown[] };
    expect(rows).toEqual([{ run: sent.runId }]);
  });

  test("drains: takes nothing new, waits for what is held, and puts back what is still held then", async () => {
    const node = start(await openNode({ limits: { perNode: 2 } }));
    await node.queue.send(wakes(4));
    await vi.waitFor(() => expect(node.taken).toHaveLength(2));
    const drained = node.queue.drain(400);
    await node.queue.complete([held(node, 0)]);
    await drained;
    expect(node.taken).toHaveLength(2);
    expect(await node.queue.depth()).toEqual({ queued: 3, held: 0 });
    const other = start(await openNode());
    await vi.waitFor(() => expect(other.taken.map(({ crashes }) => crashes)).toEqual([0, 0, 0]));
    const rest = other.queue.drain(60_000);
    await database.orm.transaction((orm) => other.queue.complete(other.taken, orm));
    await rest;
    expect(await other.queue.depth()).toEqual({ queued: 0, held: 0 });
  });

  test("takes wakes of higher priority first, whatever else waits", async () => {
    const node = await openNode({ limits: { perNode: 1 } });
    await node.queue.send(wakes(3));
    await node.queue.send(wakes(2, { priority: 1 }));
    start(node, { isCompleting: true });
    await vi.waitFor(() => expect(node.taken.map(({ priority }) => priority)).toEqual([1, 1, 0, 0, 0]));
  });

  test("lets a small job through a large one, whatever was queued first", async () => {
    const node = await openNode({ limits: { perNode: 2 } });
    await node.queue.send(wakes(300));
    start(node, { isCompleting: true });
    await vi.waitFor(() => expect(node.taken.length).toBeGreaterThan(4));
    const small = wakes(3);
    await node.queue.send(small);
    const before = node.taken.length;
    await vi.waitFor(() => expect(node.taken.length).toBeGreaterThan(before + 30));
    const places = small.map((wake) => node.taken.findIndex(({ runId: id }) => id === wake.runId) - before);
    for (const place of places) expect(place).toBeLessThan(16);
  });
});

interface Node {
  queue: Queue;
  taken: HeldWake[];
  lost: HeldWake[];
  poisoned: HeldWake[];
}

function start(node: Node, { isCompleting = false } = {}): Node {
  node.queue.pump({
    take: (wake) => {
      node.taken.push(wake);
      if (isCompleting) void node.queue.complete([wake]);
    },
    lost: (wake) => node.lost.push(wake),
    poison: async (wake) => {
      node.poisoned.push(wake);
    },
  });
  return node;
}

function held(node: Node, index: number): HeldWake {
  const wake = node.taken[index];
  if (!wake) throw new Error(`nothing was taken at ${index}`);
  return wake;
}

/** Of one job. */
function wakes(count: number, more: Partial<Wake> = {}): Wake[] {
  const job = jobId.parse(newUuid(clock));
  return Array.from({ length: count }, () => ({
    ...{ runId: runId.parse(newUuid(clock)), jobId: job, tenant: "tenant", priority: 0 },
    ...more,
  }));
}

function bare({ runId: run, jobId: job, tenant }: Wake): Omit<Wake, "priority"> {
  return { runId: run, jobId: job, tenant };
}

/** The same database, but the answer to the next statement that calls such a function never arrives. */
function losingAnswers(database: Database, functions: string[]): Database {
  const execute: Database["orm"]["execute"] = (async (statement: SQL) => {
    const answer = await database.orm.execute(statement);
    const [next] = functions;
    if (next === undefined || !JSON.stringify(statement.queryChunks).includes(next)) return answer;
    functions.shift();
    throw Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" });
  }) as never;
  const orm = new Proxy(database.orm, {
    get: (target, name, receiver) => (name === "execute" ? execute : Reflect.get(target, name, receiver)),
  });
  return { ...database, orm };
}
