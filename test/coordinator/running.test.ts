import { afterAll, beforeAll, expect, it } from "vitest";
import { Running } from "../../src/coordinator/running.ts";
import { jobId, newUuid } from "../../src/protocol/ids.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

type Held = Parameters<Running["hold"]>[0];

it("a job that this process lost and was given back stays, when what was left of its first life ends", async () => {
  const { equipment } = bench;
  const left: string[] = [];
  const running = new Running(equipment, { came: () => {}, left: (id) => void left.push(id) });
  const [one, two] = [await bench.repository({ a: "1\n" }), await bench.repository({ a: "1\n" })];
  const id = jobId.parse(newUuid(equipment.clock));
  const life = () => {
    const { promise: done, reject } = Promise.withResolvers<never>();
    return { job: { id, handle: "job-1", done } as unknown as Held, end: () => reject(new Error("fenced")) };
  };
  const [first, second] = [life(), life()];
  const old = running.hold(first.job, one);
  running.hold(second.job, two);
  first.end();
  await expect(old.done).rejects.toThrow("fenced");
  expect(running.get(id)).toBe(second.job);
  expect(left).toEqual([]);
});
