import { describe, expect, it } from "vitest";
import { patience } from "../support/sheaf.ts";
import { spread } from "./spread.ts";

/** The short form of `npm run chaos -- spread`: both of two nodes that work on a job are killed, and a third one is left. */
describe("a job whose runs several nodes do", { timeout: patience }, () => {
  it("comes to the same tree and pays no answer twice, though a guest and the owner are killed", async () => {
    await using trials = await spread.open({ database: "postgres", seed: "short", tasks: 24 });
    const { told, findings } = await trials.run(1);
    expect(findings, told.join("; ")).toEqual([]);
  });
});
