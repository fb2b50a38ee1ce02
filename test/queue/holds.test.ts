import { expect, test } from "vitest";
import { jobId, newUuid, runId } from "../../src/protocol/ids.ts";
import { createHolds } from "../../src/queue/holds.ts";
import type { HeldWake } from "../../src/queue/queue.ts";
import { tickingClock } from "../support/database.ts";

const clock = tickingClock();

function wake(): HeldWake {
  const ids = { id: newUuid(clock), runId: runId.parse(newUuid(clock)), jobId: jobId.parse(newUuid(clock)) };
  return { ...ids, tenant: "tenant", priority: 0, crashes: 0 };
}

test("a lease counts from before the database was asked, and only a touch prolongs it", () => {
  const holds = createHolds(10_000);
  const [first, second] = [wake(), wake()];
  expect(holds.until).toBe(Number.NEGATIVE_INFINITY);
  holds.take([first], 1_000);
  expect(holds.until).toBe(11_000);
  holds.take([second], 5_000);
  expect(holds.until).toBe(11_000);
  holds.touch(new Set([first.id, second.id]), { at: 6_000, before: holds.ids() });
  expect(holds.until).toBe(16_000);
});

test("a touch names what is gone without having been ended, and what nobody here knows", () => {
  const holds = createHolds(10_000);
  const [kept, stolen, ended] = [wake(), wake(), wake()];
  holds.take([kept, stolen, ended], 0);
  holds.end([ended.id]);
  expect(holds.touch(new Set([kept.id, "stray"]), { at: 1, before: holds.ids() })).toEqual({
    lost: [stolen],
    strays: ["stray"],
  });
  expect(holds.list()).toEqual([kept]);
  expect(holds.ending()).toEqual([]);
});

test("what was to end and did not is held as before", () => {
  const holds = createHolds(10_000);
  const one = wake();
  holds.take([one], 0);
  holds.end([one.id]);
  expect(holds.size).toBe(0);
  expect(holds.isEmpty).toBe(false);
  expect(holds.touch(new Set([one.id]), { at: 1, before: holds.ids() })).toEqual({ lost: [], strays: [] });
  holds.keep([one.id]);
  expect(holds.size).toBe(1);
  expect(holds.touch(new Set(), { at: 2, before: holds.ids() })).toEqual({ lost: [one], strays: [] });
  expect(holds.isEmpty).toBe(true);
});
