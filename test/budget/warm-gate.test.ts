import { describe, expect, it } from "vitest";
import { createWarmGate } from "../../src/budget/warm-gate.ts";
import { VirtualTime } from "./virtual-time.ts";

const never = new AbortController().signal;

function opened() {
  const time = new VirtualTime();
  return { time, gate: createWarmGate(time) };
}

describe("the gate before a cold cache", () => {
  it("lets one of a prefix go first, and the others when its answer has begun", async () => {
    const { time, gate } = opened();
    const first = await gate.enter("p", never);
    const others = Promise.all([1, 2, 3].map(() => gate.enter("p", never)));
    expect((await gate.enter("another", never)).hasWaited).toBe(false);
    time.later(800, () => first.began());
    const began = time.now();
    expect((await time.run(others)).map(({ hasWaited }) => hasWaited)).toEqual([true, true, true]);
    expect(time.now() - began).toBe(800);
    expect((await gate.enter("p", never)).hasWaited).toBe(false);
  });

  it("makes the next one the first when the first comes to nothing", async () => {
    const { time, gate } = opened();
    const first = await gate.enter("p", never);
    const order: string[] = [];
    const stand = async (name: string) => {
      const warming = await gate.enter("p", never);
      order.push(name);
      await time.sleep(100);
      order.push(`${name} began`);
      warming.began();
    };
    const all = Promise.all([stand("second"), stand("third"), stand("fourth")]);
    first.failed();
    await time.run(all);
    expect(order.slice(0, 2)).toEqual(["second", "second began"]);
    expect(order).toHaveLength(6);
  });

  it("holds nobody for longer than ten seconds, and none who leaves", async () => {
    const { time, gate } = opened();
    await gate.enter("p", never);
    const began = time.now();
    const leaves = new AbortController();
    const left = expect(gate.enter("p", leaves.signal)).rejects.toThrow("gone");
    leaves.abort(new Error("gone"));
    await Promise.all([left, time.run(gate.enter("p", never))]);
    expect(time.now() - began).toBe(10_000);
  });

  it("counts an entry that nobody has read for minutes as gone", async () => {
    const { time, gate } = opened();
    (await gate.enter("p", never)).began();
    await time.run(time.sleep(5 * 60_000));
    await gate.enter("p", never);
    const second = gate.enter("p", never);
    const began = time.now();
    await time.run(second);
    expect(time.now() - began).toBe(10_000);
  });
});
