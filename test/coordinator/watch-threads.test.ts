import { describe, expect, it } from "vitest";
import { isStuck } from "../../src/coordinator/threads/watch-threads.ts";

const heard = (...times: number[]) => times.map((heardAt) => ({ heardAt }));

describe("a thread is taken for stuck", () => {
  it("only when it was fully busy and no run in it was heard since the deadline", () => {
    expect(isStuck(heard(1, 2), 1, 10)).toBe(true);
  });

  it("not when it is silent but idle, as under a slow embedded database", () => {
    expect(isStuck(heard(1, 2), 0.2, 10)).toBe(false);
  });

  it("not when one of its runs was heard, or none is in it", () => {
    expect(isStuck(heard(1, 11), 1, 10)).toBe(false);
    expect(isStuck([], 1, 10)).toBe(false);
  });
});
