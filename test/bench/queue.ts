import { join } from "node:path";
import { systemClock as clock } from "../../src/clock.ts";
import { openDatabase } from "../../src/db/open.ts";
import { jobId, newUuid, runId } from "../../src/protocol/ids.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import type { HeldWake, Queue, Wake } from "../../src/queue/queue.ts";
import type { Figure } from "./figure.ts";
import { short } from "./pairs.ts";

const runs = 500;
/** How many a node works on at the same time: as wide as a fan-out of agents, and as narrow as a few threads. */
const widths = [500, 8];
const root = join(import.meta.dirname, "../..");

export const queue: Figure = {
  name: "queue",
  title: `CPU that the queue takes for a run: sent, fetched, touched, completed; ${runs} runs, embedded database included`,
  async measure({ directory, isQuick }) {
    const folders = { folder: directory, template: join(root, "dist/template"), migrations: join(root, "migrations") };
    await using database = await openDatabase(folders);
    const readings = [];
    for (const perNode of widths) {
      const costs: number[] = [];
      for (let round = 0; round <= (isQuick ? 1 : 5); round++) {
        const opened = await openQueue({
          ...{ name: "runs", database, clock, node: "bench", limits: { perNode }, isEmbedded: true },
          leaseMs: 1_000,
        });
        const before = process.cpuUsage();
        await throughAll(opened);
        const { user, system } = process.cpuUsage(before);
        await opened.close();
        if (round > 0) costs.push((user + system) / 1_000 / runs);
      }
      readings.push({
        what: `the queue's price of a run, ${perNode} at a time`,
        value: Math.min(...costs),
        unit: "ms" as const,
        // Set for what is sent and ended together; a statement for few costs as much as one for many.
        ...(perNode === runs ? { goal: { is: "<=" as const, limit: 0.5 } } : {}),
        statistic: `minimum of ${costs.length}`,
        absolute: costs.map(short).join(", "),
      });
    }
    return readings;
  },
};

/** Completes what was taken together, as runs that end in one turn of the event loop do. */
async function throughAll(opened: Queue): Promise<void> {
  const done = Promise.withResolvers<void>();
  let batch: HeldWake[] = [];
  let left = runs;
  const complete = async () => {
    const ended = batch;
    batch = [];
    await opened.complete(ended);
    left -= ended.length;
    if (left === 0) done.resolve();
  };
  opened.pump({
    take: (wake) => {
      if (batch.length === 0) setImmediate(() => complete().catch(done.reject));
      batch.push(wake);
    },
    lost: ({ runId: run }) => done.reject(new Error(`lost ${run}`)),
    poison: async () => {},
  });
  const job = jobId.parse(newUuid(clock));
  const one = (): Wake => ({ runId: runId.parse(newUuid(clock)), jobId: job, tenant: "tenant", priority: 0 });
  await opened.send(Array.from({ length: runs }, one));
  await done.promise;
}
