import fc from "fast-check";
import { expect, test } from "vitest";
import type { StoredSpan } from "../../src/protocol/span.ts";
import { type Pending, PendingSpans } from "../../src/telemetry/pending-spans.ts";

const patience = 1_000;

function pending(id: number, parent: number | undefined, dueAt: number): Pending {
  const parentId = parent === undefined ? {} : { parent_span_id: String(parent) };
  const row = (): StoredSpan => {
    throw new Error("nobody makes a row here");
  };
  return { span: { trace_id: "t", span_id: String(id), ...parentId }, bytes: 10, row, dueAt };
}

const step = fc.oneof(
  fc.record({ does: fc.constant("start" as const), pick: fc.nat() }),
  fc.record({ does: fc.constant("end" as const), pick: fc.nat() }),
  fc.record({ does: fc.constant("take" as const), rows: fc.integer({ min: 1, max: 4 }), isStored: fc.boolean() }),
);

test("in whatever order spans start, end and are stored, none leaves before its parent, and none is left behind", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const stage = openStage();
      for (const [index, each] of steps.entries()) {
        const now = 300 * index;
        if (each.does === "take") stage.take(now, each.rows, each.isStored);
        else if (each.does === "start") stage.start(each.pick, now);
        else stage.end(each.pick);
      }
      while (stage.waiting.size > 0) stage.take(Number.POSITIVE_INFINITY, 3, true);
      expect([...stage.stored.values()]).toEqual([...stage.stored.keys()].map((id) => stage.ended.has(id)));
      expect(stage.stored.size).toBe(stage.parents.length);
      expect([stage.waiting.bytes, stage.waiting.ended]).toEqual([0, 0]);
    }),
    { numRuns: 300 },
  );
});

function openStage() {
  const waiting = new PendingSpans();
  const parents: (number | undefined)[] = [];
  const ended = new Set<number>();
  /** By id: whether it was stored as one that has ended. */
  const stored = new Map<number, boolean>();
  return {
    waiting,
    parents,
    ended,
    stored,
    start(pick: number, now: number) {
      const parent = parents.length === 0 ? undefined : pick % parents.length;
      waiting.put(pending(parents.length, parent, now + patience));
      parents.push(parent);
    },
    end(pick: number) {
      const id = pick % Math.max(1, parents.length);
      if (id >= parents.length || ended.has(id)) return;
      ended.add(id);
      waiting.put(pending(id, parents[id], 0));
    },
    take(now: number, rows: number, isStored: boolean) {
      const batch = waiting.take(now, { rows, bytes: 1_000 });
      const ids = new Set(batch.map(({ span }) => Number(span.span_id)));
      expect(ids.size).toBe(batch.length);
      const above = [...ids].flatMap((id) => parents[id] ?? []);
      expect(above.filter((parent) => !(stored.has(parent) || ids.has(parent)))).toEqual([]);
      if (isStored) for (const { span, dueAt } of batch) stored.set(Number(span.span_id), dueAt === 0);
      else waiting.putBack(batch);
    },
  };
}

test("a span that goes on is handed out when it has done so for a while, and no earlier", () => {
  const waiting = new PendingSpans();
  waiting.put(pending(0, undefined, 1_000));
  expect(waiting.take(999, { rows: 9, bytes: 999 })).toEqual([]);
  expect(waiting.take(1_000, { rows: 9, bytes: 999 })).toHaveLength(1);
});

test("a span that ended has whatever it hangs from handed out with it, however young", () => {
  const waiting = new PendingSpans();
  waiting.put(pending(0, undefined, 1_000));
  waiting.put(pending(1, 0, 1_000));
  waiting.put(pending(2, 0, 1_000));
  waiting.put(pending(3, 1, 0));
  const taken = waiting.take(5, { rows: 9, bytes: 999 });
  expect(taken.map(({ span }) => span.span_id)).toEqual(["0", "1", "3"]);
  expect(waiting.size).toBe(1);
});
