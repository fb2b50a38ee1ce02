import type { SQL } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { systemClock as clock } from "../../src/clock.ts";
import type { Database } from "../../src/db/database.ts";
import { sql } from "../../src/db/drizzle.ts";
import { jobId, newUuid, runId } from "../../src/protocol/ids.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import type { HeldWake, Queue } from "../../src/queue/queue.ts";
import { databases } from "../support/databases.ts";
import { losingFirstAnswer } from "../support/lossy.ts";

let database: Database;
let queue: Queue;
const lost: HeldWake[] = [];
beforeAll(async () => {
  const server = databases.find(({ name }) => name === "PostgreSQL");
  if (!server) throw new Error("no PostgreSQL");
  database = await server.open();
}, 60_000);
afterEach(async () => {
  await queue.close();
  await database.orm.execute(sql`delete from sheaf_queue.job_common`);
  lost.length = 0;
});
afterAll(() => database.close());

const touching = "set heartbeat_on";
const asked = () => {
  const id = newUuid(clock);
  return { runId: runId.parse(id), jobId: jobId.parse(id), tenant: "tenant", priority: 0 };
};

test("what is held from the start while a touch is under way is not taken for lost", async () => {
  const late = lateAnswers(database, [touching]);
  await openNode(late.database);
  const first = await hold();
  queue.letGo(await hold());
  await late.isLate;
  const second = await hold();
  late.answer();
  await vi.waitFor(async () => expect(await queue.depth()).toEqual({ queued: 1, held: 2 }));
  expect(await queue.complete([first, second])).toEqual([]);
  expect(lost).toEqual([]);
});

test("a touch before its answer is there does not put back what is held from the start", async () => {
  await openNode(database);
  const first = await hold();
  await queue.close();
  const late = lateAnswers(database, ["hold_wake"]);
  await openNode(late.database);
  const coming = queue.hold(asked());
  await late.isLate;
  queue.letGo(await hold());
  await vi.waitFor(async () => expect(await queue.depth()).toEqual({ queued: 1, held: 2 }));
  late.answer();
  const held = await coming;
  if (!held) throw new Error("not held");
  expect(await queue.complete([first, held])).toEqual([]);
  expect(lost).toEqual([]);
});

test("what is let go while another one is put back is put back as well", async () => {
  const late = lateAnswers(database, [", 0, false)"]);
  await openNode(late.database);
  const [first, second] = [await hold(), await hold()];
  queue.letGo(first);
  await late.isLate;
  queue.letGo(second);
  late.answer();
  await vi.waitFor(async () => expect(await queue.depth()).toEqual({ queued: 2, held: 0 }), 5_000);
});

test("what is held from the start is held, though the answer was lost and there is room for no more", async () => {
  const options = { name: "jobs" as const, clock, node: "node", limits: { perNode: 1 }, isEmbedded: false };
  queue = await openQueue({ ...options, database: losingFirstAnswer(database) });
  const wake = await hold();
  expect(await queue.depth()).toEqual({ queued: 0, held: 1 });
  expect(await queue.complete([wake])).toEqual([]);
  expect(await queue.depth()).toEqual({ queued: 0, held: 0 });
});

test("only what is still held is confirmed, and nobody takes it from whoever confirms it before that one ends", async () => {
  await openNode(database);
  const wake = await hold();
  // No touch of its own brings it back.
  await queue.close();
  const taken: HeldWake[] = [];
  await database.orm.transaction(async (transaction) => {
    expect(await queue.isHeld(wake, transaction)).toBe(true);
    await database.orm.execute("update sheaf_queue.job_common set heartbeat_on = now() - interval '1 hour'");
    const other = { name: "jobs" as const, node: "other", limits: { perNode: 10 }, isEmbedded: false };
    queue = await openQueue({ ...other, database, clock });
    queue.pump({ take: (each) => taken.push(each), lost: () => {}, poison: async () => {} });
    await queue.send([asked()]);
    await vi.waitFor(() => expect(taken).toHaveLength(1));
    expect(taken[0]?.runId).not.toBe(wake.runId);
  });
  await vi.waitFor(() => expect(taken[1]?.runId).toBe(wake.runId), 5_000);
  expect(await queue.isHeld(wake, database.orm)).toBe(false);
});

async function openNode(on: Database): Promise<void> {
  const options = { name: "jobs" as const, clock, node: "node", limits: { perNode: 10 }, isEmbedded: false };
  queue = await openQueue({ ...options, database: on });
  queue.pump({ take: () => {}, lost: (wake) => lost.push(wake), poison: async () => {} }, { isIdle: true });
}

async function hold(): Promise<HeldWake> {
  const held = await queue.hold(asked());
  if (!held) throw new Error("not held");
  return held;
}

/** The same database, but the first answer to a statement with such a text comes when it is told to. */
function lateAnswers(on: Database, texts: string[]) {
  const late = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const execute: Database["orm"]["execute"] = (async (statement: SQL) => {
    const answer = await on.orm.execute(statement);
    const [next] = texts;
    if (next === undefined || !JSON.stringify(statement.queryChunks).includes(next)) return answer;
    texts.shift();
    late.resolve();
    await answered.promise;
    return answer;
  }) as never;
  const orm = new Proxy(on.orm, {
    get: (target, name, receiver) => (name === "execute" ? execute : Reflect.get(target, name, receiver)),
  });
  return { database: { ...on, orm }, isLate: late.promise, answer: answered.resolve };
}
