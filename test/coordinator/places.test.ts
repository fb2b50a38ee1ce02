import fc from "fast-check";
import { expect, it } from "vitest";
import { type Place, Places } from "../../src/coordinator/tasks/places.ts";
import { runInOrder } from "../../src/coordinator/tasks/schedule.ts";
import { graph } from "./graph.ts";

interface Gate {
  open(): void;
  kind: "work" | "wait";
}

/** Runs items that ask so many questions each; what is worked on or waited for ends when `choose` says so. */
async function runWith(
  items: readonly { id: string; needs: string[] }[],
  options: { width: number; asks(id: string): number; choose(count: number): number; stopAfter?: number },
) {
  const stop = new AbortController();
  const gates: Gate[] = [];
  const gate = (kind: Gate["kind"]) => new Promise<void>((open) => gates.push({ open, kind }));
  const working = () => gates.filter(({ kind }) => kind === "work").length;
  const ended: string[] = [];
  let isSettled = false;
  const running = runInOrder(items, {
    width: options.width,
    signal: stop.signal,
    async run({ id }, place: Place) {
      for (let asked = 0; asked < options.asks(id); asked++) {
        await gate("work");
        await place.without(() => gate("wait"));
      }
      await gate("work");
      ended.push(id);
    },
  }).finally(() => {
    isSettled = true;
  });
  for (let turn = 0; !isSettled; turn++) {
    for (let round = 0; round < 8; round++) await Promise.resolve();
    await new Promise(setImmediate);
    if (!stop.signal.aborted) expect(working()).toBeLessThanOrEqual(options.width);
    if (turn === options.stopAfter) stop.abort();
    const [one] = gates.splice(options.choose(gates.length) % Math.max(1, gates.length), 1);
    one?.open();
    expect(turn).toBeLessThan(10_000);
  }
  return { ended, outcome: await running };
}

const picks = fc.infiniteStream(fc.nat());
const width = fc.integer({ min: 1, max: 3 });

it("lets all come to their end however often they wait, and never more work than there are places", async () => {
  await fc.assert(
    fc.asyncProperty(graph, width, picks, fc.nat(3), async (items, count, choices, most) => {
      const asks = (id: string) => Number(id.slice(1)) % (most + 1);
      const choose = () => choices.next().value ?? 0;
      const { ended, outcome } = await runWith(items, { width: count, asks, choose });
      expect(outcome).toEqual({});
      expect([...ended].sort()).toEqual(items.map((item) => item.id).sort());
    }),
    { numRuns: 60 },
  );
});

it("comes to its end when it is stopped while some wait for people and some for a place", async () => {
  await fc.assert(
    fc.asyncProperty(graph, width, picks, fc.nat(12), async (items, count, choices, stopAfter) => {
      const choose = () => choices.next().value ?? 0;
      const { outcome } = await runWith(items, { width: count, asks: () => 2, choose, stopAfter });
      expect(outcome).toEqual({});
    }),
    { numRuns: 60 },
  );
});

it("lets a job with one place work on while an item waits, and lets who comes back go before who begins", async () => {
  const seen: string[] = [];
  const answer = Promise.withResolvers<void>();
  const work = Promise.withResolvers<void>();
  const items = ["asking", "working", "last"].map((id) => ({ id, needs: [] }));
  const running = runInOrder(items, {
    width: 1,
    async run({ id }, place) {
      seen.push(`${id} begins`);
      if (id === "asking") await place.without(() => answer.promise);
      if (id === "working") await work.promise;
      seen.push(`${id} ends`);
    },
  });
  answer.resolve();
  await new Promise(setImmediate);
  expect(seen).toEqual(["asking begins", "working begins"]);
  work.resolve();
  await running;
  expect(seen.slice(2)).toEqual(["working ends", "asking ends", "last begins", "last ends"]);
});

it("keeps the place of who waits where too many are away already", async () => {
  const freed: string[] = [];
  const places = new Places({ count: 2, mostAway: 1, onFree: () => void freed.push("free") });
  const [first, second] = [places.take(), places.take()];
  const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const waits = [first.without(() => one.promise), second.without(() => two.promise)];
  expect([freed.length, places.isFree]).toEqual([1, true]);
  places.take();
  expect(places.isFree).toBe(false);
  two.resolve();
  await waits[1];
  one.resolve();
  places.leave();
  await waits[0];
  expect(places.isFree).toBe(false);
});
