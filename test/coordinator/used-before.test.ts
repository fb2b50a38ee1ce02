import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { usedBefore } from "../../src/coordinator/resume/used-before.ts";
import type { Event, Fact } from "../../src/protocol/event.ts";

const hour = 3_600_000;
const eventsOf = (...said: [number, Fact["type"]][]): Event[] =>
  said.map(([at, type], place) => ({ type, data: {}, at, run_id: "r", seq: place + 1, id: String(place) }) as never);

describe("the time that a job has had", () => {
  it("is that of its owners, however long nobody had it, and however often", () => {
    const events = eventsOf(
      [0, "job.created"],
      [1_000, "run.started"],
      [10 * hour, "job.resumed"],
      [10 * hour + 2_000, "run.started"],
      [20 * hour, "job.resumed"],
      [30 * hour, "job.resumed"],
      [30 * hour + 4_000, "run.finished"],
    );
    expect(usedBefore(events, [])).toBe(7_000);
  });

  it("does not count a pause, once, whether or not its process stayed", () => {
    const paused = eventsOf([0, "job.created"], [1_000, "run.started"], [5 * hour + 500, "turn.started"]);
    expect(usedBefore(paused, [5 * hour])).toBe(1_500);
    const left = eventsOf(
      [0, "job.created"],
      [1_000, "run.started"],
      [6 * hour, "job.resumed"],
      [6 * hour + 500, "run.started"],
    );
    expect(usedBefore(left, [5 * hour])).toBe(1_500);
    expect(usedBefore(left, [7 * hour])).toBe(1_500);
  });

  it("is never less than nothing, whatever the clocks of its owners say", () => {
    const times = fc.array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 8 });
    fc.assert(
      fc.property(times, times, (at, resumed) => {
        const events = eventsOf(...at.map((ms): [number, Fact["type"]] => [ms, "run.started"]));
        expect(usedBefore(events, resumed)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
