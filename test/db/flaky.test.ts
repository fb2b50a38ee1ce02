import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClaimedRun, claimRun } from "../../src/db/claim-run.ts";
import type { Database } from "../../src/db/database.ts";
import { readJobEvents, readRunEvents } from "../../src/db/read-events.ts";
import { createWriter } from "../../src/db/writer.ts";
import type { Event } from "../../src/protocol/event.ts";
import { newUuid, runId, taskId } from "../../src/protocol/ids.ts";
import { noUsage } from "../../src/protocol/message.ts";
import { tickingClock } from "../support/database.ts";
import { databases } from "../support/databases.ts";
import { claimedRuns, note } from "../support/job.ts";

/** What the connection does with the next statement. */
const mishap = fc.constantFrom("none", "none", "none", "lost before", "lost after");
const step = fc.record({
  do: fc.constantFrom("append", "append", "append", "append", "pause", "take over"),
  run: fc.nat(4),
  facts: fc.integer({ min: 1, max: 3 }),
});

describe.each(databases)("appends over a flaky connection to $name", ({ open }) => {
  const clock = tickingClock();
  let database: Database;
  beforeAll(async () => {
    database = await open();
  }, 60_000);
  afterAll(() => database.close());

  test("leave every log gapless, in order, without doubles, with all that was acknowledged", async () => {
    const story = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.array(mishap, { maxLength: 8 }),
      play,
    );
    await fc.assert(story, { numRuns: 15 });
  });

  test("open a run once, with its first facts", async () => {
    const { jobId, root } = await claimedRuns(0, clock, database);
    for (const fate of ["lost before", "lost after"]) {
      await using writer = createWriter(clock, flaky(database, [fate]));
      const run = { runId: runId.parse(newUuid(clock)), jobId, epoch: 1, head: 0 };
      const parent = { parentId: root.runId, parentEpoch: root.epoch };
      const place = { jobId, ...parent, taskId: taskId.parse("part-1"), step: 0, attempt: 1 };
      const opens = { ...place, kind: "agent" as const, owner: "node-a", at: new Date() };
      expect(await writer.append(run, [note("a"), note("b")], { also: { opens } })).toEqual({ firstSeq: 1 });
      expect(await writer.append(run, [note("c")])).toEqual({ firstSeq: 3 });
      expect((await readRunEvents(run.runId, 0, database)).map(textOf)).toEqual(["a", "b", "c"]);
    }
  });

  async function play(steps: readonly Step[], mishaps: readonly string[]): Promise<void> {
    const { jobId, agents } = await claimedRuns(5, clock, database);
    const asked = await perform(steps, agents, mishaps);
    for (const run of agents) {
      const log = await readRunEvents(run.runId, 0, database);
      expect(log.map((event) => event.seq)).toEqual(log.map((_, index) => index + 1));
      const kept = asked.filter((each) => each.run === run && each.firstSeq !== undefined);
      expect(log.map(textOf)).toEqual(kept.flatMap((each) => each.texts));
      for (const each of kept) expect(textOf(log[(each.firstSeq ?? 0) - 1])).toBe(each.texts[0]);
    }
    // What follows from facts is written with them: as often as they are, which is once.
    const books = `select coalesce(sum(runs), 0)::int as runs from sheaf.usage where model = '${jobId}'`;
    const appended = asked.filter((each) => each.firstSeq !== undefined).length;
    expect(await database.orm.execute(books)).toMatchObject({ rows: [{ runs: appended }] });
    const positions = (await readJobEvents(jobId, 0, database)).map(({ pos }) => pos);
    expect(positions).toEqual(positions.map((_, index) => index + 1));
  }

  /** Each append with the answer it got; one that is refused must have lost its run. */
  async function perform(steps: readonly Step[], agents: readonly ClaimedRun[], mishaps: readonly string[]) {
    await using writer = createWriter(
      clock,
      flaky(
        database,
        mishaps.flatMap((each) => [each, "none"]),
      ),
    );
    const isTaken = new Set<string>();
    const asked: Promise<{ run: ClaimedRun; texts: string[]; firstSeq?: number }>[] = [];
    for (const [index, each] of steps.entries()) {
      const run = agents[each.run] as ClaimedRun;
      if (each.do === "pause") await new Promise((resolve) => setImmediate(resolve));
      if (each.do === "take over") {
        isTaken.add(run.runId);
        await claimRun({ runId: run.runId, owner: "node-b", from: ["running"] }, clock, database);
      }
      if (each.do !== "append") continue;
      const texts = Array.from({ length: each.facts }, (_, place) => `${index}.${place}`);
      const refused = (fault: unknown) => {
        expect(fault).toMatchObject({ code: "fenced" });
        expect(isTaken).toContain(run.runId);
        return { run, texts };
      };
      const used = {
        tenant: "t",
        day: "2026-11-23",
        model: run.jobId,
        usage: noUsage,
        costNanoUsd: 1,
        isCostKnown: true,
      };
      asked.push(
        writer.append(run, texts.map(note), { also: { used } }).then((answer) => ({ run, texts, ...answer }), refused),
      );
    }
    return Promise.all(asked);
  }
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function textOf(event: Event | undefined): string {
  return event?.type === "tool.finished" ? event.data.content : "";
}

/** The same database behind a connection that breaks: before a statement ran, or after it was committed. */
function flaky(database: Database, mishaps: string[]): Database {
  const broken = () => Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" });
  const execute: Database["orm"]["execute"] = (async (statement: never) => {
    const fate = mishaps.shift();
    if (fate === "lost before") throw broken();
    const answer = await database.orm.execute(statement);
    if (fate === "lost after") throw broken();
    return answer;
  }) as never;
  const orm = new Proxy(database.orm, {
    get: (target, name, receiver) => (name === "execute" ? execute : Reflect.get(target, name, receiver)),
  });
  return { ...database, orm };
}
