import fc from "fast-check";
import { expect, it } from "vitest";
import { runInOrder } from "../../src/coordinator/tasks/schedule.ts";
import { graph } from "./graph.ts";

interface Item {
  id: string;
  needs: string[];
}

/** Runs them with somebody else deciding who of those under way ends next. */
async function runWith(items: readonly Item[], width: number, choose: (count: number) => number) {
  const begun: string[] = [];
  const ended: string[] = [];
  const underWay: { id: string; end: () => void }[] = [];
  let most = 0;
  const running = runInOrder(items, {
    width,
    run: (item) => {
      expect(ended).toEqual(expect.arrayContaining(item.needs));
      begun.push(item.id);
      return new Promise((end) => underWay.push({ id: item.id, end }));
    },
  });
  while (underWay.length > 0) {
    most = Math.max(most, underWay.length);
    const [one] = underWay.splice(choose(underWay.length) % underWay.length, 1);
    if (one) ended.push(one.id);
    one?.end();
    await new Promise(setImmediate);
  }
  return { begun, ended, most, outcome: await running };
}

it("begins everything once, after all it needs, and never more than its width at a time", async () => {
  await fc.assert(
    fc.asyncProperty(
      graph,
      fc.integer({ min: 1, max: 5 }),
      fc.infiniteStream(fc.nat()),
      async (items, width, picks) => {
        const { begun, ended, most, outcome } = await runWith(items, width, () => picks.next().value ?? 0);
        expect(outcome).toEqual({});
        expect(most).toBeLessThanOrEqual(width);
        expect([...ended].sort()).toEqual(items.map((item) => item.id).sort());
        expect(new Set(begun).size).toBe(begun.length);
      },
    ),
    { numRuns: 60 },
  );
});

it("takes the first of those that may begin, and one at a time keeps the order", async () => {
  await fc.assert(
    fc.asyncProperty(graph, async (items) => {
      const { begun } = await runWith(items, 1, () => 0);
      expect(begun).toEqual(items.map((item) => item.id));
    }),
    { numRuns: 30 },
  );
});

it("begins nothing after one has thrown, waits for those under way, and never what needs a thing unheard of", async () => {
  const seen: string[] = [];
  const needing = (id: string, ...needs: string[]) => ({ id, needs });
  const items = [needing("slow"), needing("broken"), needing("later"), needing("lost", "nobody")];
  let isSlowDone = false;
  const outcome = await runInOrder(items, {
    width: 2,
    async run({ id }) {
      seen.push(id);
      if (id === "broken") throw new Error("it broke");
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      isSlowDone = true;
    },
  });
  expect(outcome.thrown?.cause).toMatchObject({ message: "it broke" });
  expect(seen).toEqual(["slow", "broken"]);
  expect(isSlowDone).toBe(true);
});
