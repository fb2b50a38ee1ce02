import { expect, test } from "vitest";
import { threadClock } from "../../src/agent/thread-clock.ts";

test("no random bytes are handed out twice, however many are asked for, and nobody can write into those of others", () => {
  const seen = new Set<string>();
  for (let round = 0; round < 3_000; round++) {
    const bytes = threadClock.random(16);
    seen.add(Buffer.from(bytes).toString("hex"));
    bytes.fill(0);
  }
  expect(seen.size).toBe(3_000);
  expect(threadClock.random(10_000).some((byte) => byte !== 0)).toBe(true);
  expect(threadClock.random(0).length).toBe(0);
});
