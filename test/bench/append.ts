import { join } from "node:path";
import { setImmediate as nextTick } from "node:timers/promises";
import { PGlite } from "@electric-sql/pglite";
import { z } from "zod";
import { systemClock as clock } from "../../src/clock.ts";
import { openDatabase } from "../../src/db/open.ts";
import { createWriter } from "../../src/db/writer.ts";
import type { Fact } from "../../src/protocol/event.ts";
import { newUuid } from "../../src/protocol/ids.ts";
import { noUsage } from "../../src/protocol/message.ts";
import { claimedRuns } from "../support/job.ts";
import type { Figure } from "./figure.ts";
import { ratioOfMinima, short, takePairs } from "./pairs.ts";

const runs = 100;
const rowsPerBatch = 50;
const root = join(import.meta.dirname, "../..");

export const append: Figure = {
  name: "append",
  title: `CPU of an event appended under ${runs} concurrent runs / of a row in a bare insert of ${rowsPerBatch} by PGlite as it comes`,
  async measure({ directory, isQuick }) {
    const folders = { folder: directory, template: join(root, "dist/template"), migrations: join(root, "migrations") };
    await using database = await openDatabase(folders);
    const { $client: client } = z.object({ $client: z.instanceof(PGlite) }).parse(database.orm);
    await client.exec("create table bare (like sheaf.events including all)");
    const { jobId, agents } = await claimedRuns(runs, clock, database);
    await using writer = createWriter(clock, database);
    const turns = isQuick ? 5 : 25;
    const events = runs * turns * (afterTools.length + afterModel.length);
    const pairs = await takePairs(isQuick ? 2 : 8, {
      subject: () =>
        cpuOf(events, () => Promise.all(agents.map((run) => takeTurns(turns, (facts) => writer.append(run, facts))))),
      baseline: async () => {
        const batches = rowBatches(events, jobId);
        return cpuOf(events, () => insertAll(batches, client));
      },
    });
    const absolute = `${short(Math.min(...pairs.subject))} ms / ${short(Math.min(...pairs.baseline))} ms of CPU an event`;
    return [
      {
        what: "group-committed, fenced append / bare insert, CPU an event",
        unit: "x",
        ...ratioOfMinima(pairs),
        goal: { is: "<=", limit: 1.5 },
        absolute,
      },
    ];
  },
};

/** Milliseconds of CPU of this process, the embedded database included, for each event. */
async function cpuOf(events: number, work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / events;
}

/** As an agent appends: the results of its tools with the next request, the answer with the next calls. */
const afterTools: readonly Fact[] = [
  { type: "tool.finished", data: { call_id: "call_1", tool: "read", is_error: false, content: "x".repeat(400) } },
  { type: "turn.started", data: { turn: 1, model: "recipe/node-protocol" } },
];
const afterModel: readonly Fact[] = [
  {
    type: "turn.finished",
    data: { turn: 1, answer: [{ type: "text", text: "y".repeat(300) }], usage: noUsage, stop: "tool_use" },
  },
  { type: "tool.intended", data: { call_id: "call_1", tool: "read", rule: "scope" } },
];

async function takeTurns(turns: number, write: (facts: readonly Fact[]) => Promise<unknown>): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await write(afterTools);
    await write(afterModel);
  }
}

type Column = (string | number | null)[];

/** The same facts as rows that only need to be sent: identified, serialised and in columns before the clock starts. */
function rowBatches(events: number, jobId: string): Column[][] {
  const facts = [...afterTools, ...afterModel];
  const runId = newUuid(clock);
  return Array.from({ length: Math.ceil(events / rowsPerBatch) }, (_, batch) => {
    const numbers = Array.from({ length: rowsPerBatch }, (_, index) => batch * rowsPerBatch + index + 1);
    const fact = (number: number) => facts[number % facts.length];
    return [
      numbers.map(() => runId),
      numbers,
      numbers.map(() => jobId),
      numbers.map((number) => number + taken),
      numbers.map(() => newUuid(clock)),
      numbers.map((number) => fact(number)?.type ?? ""),
      numbers.map((number) => JSON.stringify(fact(number)?.data)),
      numbers.map(() => 1),
      numbers.map(() => null),
      numbers.map(() => new Date(clock.now()).toISOString()),
    ];
  });
}

/** Positions of rounds before, so that they stay unique in the job. */
let taken = 0;

const insert = `insert into bare (run_id, seq, job_id, pos, id, type, data, epoch, span_id, at)
select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::uuid[], $6::text[], $7::json[], $8::int[],
  $9::text[], $10::timestamptz[])`;

async function insertAll(batches: readonly Column[][], client: PGlite): Promise<void> {
  for (const columns of batches) {
    // Without what our client spares every statement that comes again: the baseline is what anybody has.
    await PGlite.prototype.query.call(client, insert, columns);
    await nextTick();
  }
  taken += batches.length * rowsPerBatch;
}
