import { describe, expect, it } from "vitest";
import { Turnstile } from "../../src/protocol/turnstile.ts";

describe("a turnstile", () => {
  it("lets so many through at a time, in the order they came", async () => {
    const turnstile = new Turnstile(2);
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const begun: number[] = [];
    const all = gates.map(({ promise }, index) =>
      turnstile.pass(() => {
        begun.push(index);
        return promise;
      }),
    );
    expect(begun).toEqual([0, 1]);
    gates[1]?.resolve();
    await all[1];
    await Promise.resolve();
    expect(begun).toEqual([0, 1, 2]);
    for (const { resolve } of gates) resolve();
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  it("lets one who gives up go before its turn, and nobody loses a turn by it", async () => {
    const turnstile = new Turnstile(1);
    const first = Promise.withResolvers<void>();
    const stop = new AbortController();
    const begun: string[] = [];
    const one = turnstile.pass(() => first.promise);
    const two = turnstile.pass(async () => void begun.push("two"), stop.signal);
    const three = turnstile.pass(async () => void begun.push("three"));
    stop.abort(new Error("enough"));
    await expect(two).rejects.toThrow("enough");
    await expect(turnstile.pass(async () => void begun.push("four"), stop.signal)).rejects.toThrow("enough");
    first.resolve();
    await Promise.all([one, three]);
    await turnstile.pass(async () => void begun.push("five"));
    expect(begun).toEqual(["three", "five"]);
  });
});
