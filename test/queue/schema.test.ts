import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { fromPglite, getConstructionPlans, PgBoss } from "pg-boss";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { systemClock as clock } from "../../src/clock.ts";
import type { Database } from "../../src/db/database.ts";
import { jobId, newUuid, runId } from "../../src/protocol/ids.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import { migrations, openTestDatabase } from "../support/database.ts";

/** What a migration does by itself, and a table that pg-boss fills day by day when its statistics are wanted. */
const leftOut = /^(BEGIN|COMMIT|SET LOCAL .*|SELECT pg_advisory_xact_lock\(.*|DO \$\$.*queue_stats_.*\$\$)$/s;

test("the migration is the schema of the pg-boss that is installed", async () => {
  const text = await readFile(join(migrations, "0004_queue.sql"), "utf8");
  const ours = text
    .replace(/^--.*\n/, "")
    .split("--> statement-breakpoint\n")
    .map((statement) => statement.trim().replace(/;$/, ""));
  let rest = getConstructionPlans("sheaf_queue");
  for (const statement of ours) {
    const place = rest.indexOf(statement);
    expect(place, statement).toBeGreaterThanOrEqual(0);
    rest = rest.slice(0, place) + rest.slice(place + statement.length);
  }
  const more = rest.split(/;(?![^$]*\$\$\s*;)/).map((statement) => statement.trim());
  expect(more.filter((statement) => statement !== "" && !leftOut.test(statement))).toEqual([]);
});

describe("pg-boss itself", () => {
  let database: Database;
  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.close());

  test("finds its schema whole, sees what waits and what is held, and takes nothing away", async () => {
    const sending = { name: "runs", database, clock, node: "node", limits: { perNode: 1 }, isEmbedded: false } as const;
    const queue = await openQueue(sending);
    const job = jobId.parse(newUuid(clock));
    const wake = () => ({ runId: runId.parse(newUuid(clock)), jobId: job, tenant: "tenant", priority: 0 });
    await queue.send([wake(), wake(), wake()]);
    const taken = Promise.withResolvers<void>();
    queue.pump({ take: () => taken.resolve(), lost: () => {}, poison: async () => {} });
    await taken.promise;
    const { $client: client } = z.object({ $client: z.instanceof(PGlite) }).parse(database.orm);
    const passive = { schema: "sheaf_queue", migrate: false, supervise: false, schedule: false } as const;
    const boss = new PgBoss({ ...passive, db: fromPglite(client), backend: "pglite" });
    await boss.start();
    await boss.supervise("runs");
    expect(await boss.detectSchemaDrift()).toMatchObject({ ok: true });
    expect(await boss.getQueueStats("runs")).toMatchObject([{ queuedCount: 2, activeCount: 1 }]);
    await boss.stop({ graceful: false });
    expect(await queue.depth()).toEqual({ queued: 2, held: 1 });
    await queue.close();
  });
});
