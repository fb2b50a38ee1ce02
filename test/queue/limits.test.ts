import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock as clock } from "../../src/clock.ts";
import type { Database } from "../../src/db/database.ts";
import { sql } from "../../src/db/drizzle.ts";
import { jobId, newUuid, runId } from "../../src/protocol/ids.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import type { HeldWake, Queue, QueueLimits, Wake } from "../../src/queue/queue.ts";
import { databases } from "../support/databases.ts";

const limit = fc.integer({ min: 1, max: 4 });
const story = fc.record({
  limits: fc.record({ perNode: limit, perJob: limit, perTenant: limit, overall: fc.integer({ min: 1, max: 6 }) }),
  nodes: fc.integer({ min: 1, max: 3 }),
  wakes: fc.array(fc.record({ job: fc.nat(3), tenant: fc.nat(1), priority: fc.nat(1), ms: fc.nat(12) }), {
    minLength: 1,
    maxLength: 40,
  }),
});

describe.each(databases)("several nodes on $name", ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  test("hold no more than any limit at any moment, and take everything exactly once", async () => {
    await fc.assert(
      fc.asyncProperty(story, async ({ limits, nodes, wakes }) => {
        await database.orm.execute(sql`delete from sheaf_queue.job_common`);
        await play(limits, { nodes, wakes });
      }),
      { numRuns: 8 },
    );
  });

  async function play(limits: QueueLimits, { nodes, wakes }: { nodes: number; wakes: readonly Work[] }): Promise<void> {
    const tally = createTally(limits);
    const queues = await Promise.all(
      Array.from({ length: nodes }, (_, index) =>
        openQueue({ name: "runs", database, clock, node: `node-${index}`, limits, isEmbedded: false }),
      ),
    );
    const sent = wakes.map(wakeOf(Array.from({ length: 4 }, () => jobId.parse(newUuid(clock)))));
    const all = Promise.withResolvers<void>();
    const done: Promise<unknown>[] = [];
    for (const [node, queue] of queues.entries()) {
      const take = (wake: HeldWake) => {
        tally.add(node, wake);
        const work = wakes[sent.findIndex((each) => each.runId === wake.runId)];
        done.push(finish({ queue, node, wake, ms: work?.ms ?? 0 }, tally));
        if (done.length === sent.length) all.resolve();
      };
      queue.pump({ take, lost: () => {}, poison: async () => {} });
    }
    await queues[0]?.send(sent.slice(0, 20));
    await queues.at(-1)?.send(sent.slice(20));
    await all.promise;
    await Promise.all(done);
    expect(await queues[0]?.depth()).toEqual({ queued: 0, held: 0 });
    await Promise.all(queues.map((queue) => queue.close()));
    expect(tally.taken.toSorted()).toEqual(sent.map((wake) => wake.runId).toSorted());
    expect(tally.excesses).toEqual([]);
  }
});

interface Work {
  job: number;
  tenant: number;
  priority: number;
  ms: number;
}

function wakeOf(jobs: readonly Wake["jobId"][]): (work: Work) => Wake {
  return ({ job, tenant, priority }) => {
    const id = jobs[job];
    if (!id) throw new Error(`job ${job}`);
    return { runId: runId.parse(newUuid(clock)), jobId: id, tenant: `tenant-${tenant}`, priority };
  };
}

async function finish(held: { queue: Queue; node: number; wake: HeldWake; ms: number }, tally: Tally): Promise<void> {
  await sleep(held.ms);
  // Before the database lets go of it, so that what is counted is never more than what is held.
  tally.remove(held.node, held.wake);
  expect(await held.queue.complete([held.wake])).toEqual([]);
}

interface Tally {
  taken: string[];
  excesses: string[];
  add(node: number, wake: HeldWake): void;
  remove(node: number, wake: HeldWake): void;
}

function createTally({ perNode, perJob = 0, perTenant = 0, overall = 0 }: QueueLimits): Tally {
  const counts = new Map<string, number>();
  const excesses: string[] = [];
  const taken: string[] = [];
  const places = (node: number, wake: HeldWake) =>
    new Map([
      [`node ${node}`, perNode],
      [`job ${wake.jobId}`, perJob],
      [`tenant ${wake.tenant}`, perTenant],
      ["all", overall],
    ]);
  return {
    taken,
    excesses,
    add(node, wake) {
      taken.push(wake.runId);
      for (const [place, most] of places(node, wake)) {
        const count = (counts.get(place) ?? 0) + 1;
        counts.set(place, count);
        if (count > most) excesses.push(`${place}: ${count} of ${most}`);
      }
    },
    remove(node, wake) {
      for (const place of places(node, wake).keys()) counts.set(place, (counts.get(place) ?? 0) - 1);
    },
  };
}
