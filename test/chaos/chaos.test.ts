import { describe, expect, it } from "vitest";
import { patience } from "../support/sheaf.ts";
import { fanOut } from "./fan-out.ts";

/** The short form of `npm run chaos`: the same harness, with few tasks and two points of one seed: one kill, and four. */
describe("a job whose process is killed and started again", { timeout: patience }, () => {
  it("comes to the same tree, does nothing twice and asks no answer twice, wherever it was killed", async () => {
    await using trials = await fanOut.open({ database: "embedded", seed: "short", tasks: 12 });
    for (const number of [2, 3]) {
      const { told, findings } = await trials.run(number);
      expect(findings, `point ${number}: ${told.join("; ")}`).toEqual([]);
    }
  });
});
