import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeSpans } from "../../src/db/close-spans.ts";
import { createTasks } from "../../src/db/create-tasks.ts";
import type { Database } from "../../src/db/database.ts";
import { listTasks } from "../../src/db/list-tasks.ts";
import { readArtifact } from "../../src/db/read-artifact.ts";
import { readTrace } from "../../src/db/read-trace.ts";
import { recordLanded } from "../../src/db/record-landed.ts";
import { storeArtifact } from "../../src/db/store-artifact.ts";
import { storeSpans } from "../../src/db/store-spans.ts";
import { createWriter } from "../../src/db/writer.ts";
import { taskId } from "../../src/protocol/ids.ts";
import type { StoredSpan } from "../../src/protocol/span.ts";
import { tickingClock } from "../support/database.ts";
import { databases } from "../support/databases.ts";
import { claimedRuns, note } from "../support/job.ts";

describe.each(databases)("the store on $name", ({ open }) => {
  const clock = tickingClock();
  let database: Database;
  beforeAll(async () => {
    database = await open();
  }, 60_000);
  afterAll(() => database.close());

  const span = (jobId: string, number: number, dur: string | null): StoredSpan => ({
    trace_id: "ab".repeat(16),
    span_id: number.toString(16).padStart(16, "0"),
    ...(number > 0 ? { parent_span_id: "0".repeat(16) } : {}),
    job_id: jobId,
    name: `span ${number}`,
    kind: "internal",
    start_ns: `17670000000000000${number.toString().padStart(2, "0")}`,
    dur_ns: dur,
    status: dur === null ? "unset" : "ok",
    attributes: { text: "x", count: 1.5, yes: true, list: ["a"] },
    events: [{ name: "retry", at_ns: "1767000000000000001", attributes: {} }],
    links: [{ trace_id: "cd".repeat(16), span_id: "0".repeat(16) }],
  });

  test("hands back spans by start, with every nanosecond, open ones with no duration", async () => {
    const { jobId } = await claimedRuns(0, clock, database);
    const spans = [span(jobId, 0, null), span(jobId, 1, "123456789012345678"), span(jobId, 2, null)];
    await storeSpans(spans.toReversed(), database);
    expect(await readTrace(jobId, database)).toEqual(spans);
    await storeSpans([span(jobId, 0, "5"), span(jobId, 0, null)], database);
    await storeSpans([span(jobId, 1, null)], database);
    expect(await readTrace(jobId, database)).toEqual([span(jobId, 0, "5"), ...spans.slice(1)]);
  });

  test("ends the spans that a process left open, but not those of runs that go on elsewhere", async () => {
    const { jobId, agents } = await claimedRuns(2, clock, database);
    const [gone, elsewhere] = agents.map(({ runId }) => ({ run_id: runId }));
    const open = (number: number, more: Partial<StoredSpan> = {}) => ({ ...span(jobId, number, null), ...more });
    await storeSpans([open(60), open(61), open(62, gone), open(63, elsewhere)], database);
    const going = new Set([elsewhere?.run_id ?? ""]);
    await closeSpans(jobId, { reason: "gone", but: open(60).span_id, going }, database);
    const isOpen = (await readTrace(jobId, database)).map(({ name, dur_ns }) => [name, dur_ns === null]);
    expect(Object.fromEntries(isOpen)).toEqual({
      "span 60": true,
      "span 61": false,
      "span 62": false,
      "span 63": true,
    });
    await closeSpans(jobId, { reason: "gone" }, database);
    expect((await readTrace(jobId, database)).filter(({ dur_ns }) => dur_ns === null)).toEqual([]);
  });

  test("stores a span whose text jsonb cannot hold, with those characters replaced", async () => {
    const { jobId } = await claimedRuns(0, clock, database);
    const odd = { ...span(jobId, 50, "1"), name: "a\0b", attributes: { "k\0": "\ud800x", list: ["\0"] } };
    await storeSpans([odd, span(jobId, 51, "1")], database);
    const [read] = await readTrace(jobId, database);
    expect(read).toMatchObject({ name: "a\ufffdb", attributes: { "k\ufffd": "\ufffdx", list: ["\ufffd"] } });
    expect(await readTrace(jobId, database)).toHaveLength(2);
  });

  test("keeps artifacts byte for byte under their hash, once", async () => {
    const bytes = randomBytes(300_000);
    const sha256 = await storeArtifact(bytes, "text/plain", database);
    expect(await storeArtifact(bytes, "text/plain", database)).toBe(sha256);
    const read = await readArtifact(sha256, database);
    expect(Buffer.compare(bytes, read?.bytes ?? Buffer.alloc(0))).toBe(0);
    expect(await storeArtifact(new Uint8Array(), "text/plain", database)).toMatch(/^e3b0c442/);
    expect(await readArtifact("0".repeat(64), database)).toBeUndefined();
  });

  test("records what became of a task for the job's owner alone", async () => {
    const { jobId, root } = await claimedRuns(0, clock, database);
    const id = taskId.parse("part-1");
    const task = { id, ordinal: 0, title: "src" };
    await createTasks(jobId, [task], database);
    await createTasks(jobId, [task], database);
    await using writer = createWriter(clock, database);
    await writer.append(root, [note("done")], { also: { task: { id, state: "succeeded", resultTree: "tree" } } });
    await recordLanded(root, [id], database);
    expect(await listTasks(jobId, database)).toMatchObject([{ id, state: "succeeded", landed: true }]);
    const stale = { ...root, epoch: 99 };
    const late = writer.append(stale, [note("late")], { also: { task: { id, state: "failed" } } });
    await expect(late).rejects.toMatchObject({ code: "fenced" });
    expect(await listTasks(jobId, database)).toMatchObject([{ id, state: "succeeded", landed: true }]);
    await expect(recordLanded(stale, [id], database)).rejects.toMatchObject({ code: "fenced" });
    await recordLanded(stale, [], database);
  });
});
