import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAllowance } from "../../src/coordinator/calls/allowance.ts";
import { openDesk } from "../../src/coordinator/calls/desk.ts";
import type { Job } from "../../src/coordinator/job.ts";
import { readArtifact } from "../../src/db/read-artifact.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

describe("what one run may leave in the store", () => {
  it("is so many bytes of texts: what would be more ends the run by the name of the limit, and is not stored", async () => {
    const allowance = openAllowance({ facts: 1, bytes: 10 });
    const signal = new AbortController().signal;
    const { equipment } = bench;
    // A text is kept without a look at the job.
    const desk = openDesk({ job: {} as Job, equipment, tree: "", root: "", signal, allowance });
    const keep = (text: string) => desk.answer({ kind: "keep", id: 1, text });
    await expect(keep("12345678")).resolves.toMatchObject({ kind: "kept", bytes: 8 });
    await expect(keep("wxyz")).rejects.toThrow(/may keep 10 bytes of texts/);
    expect(await readArtifact(createHash("sha256").update("wxyz").digest("hex"), equipment.database)).toBeUndefined();
  });

  it("is so many events", () => {
    const allowance = openAllowance({ facts: 3, bytes: 10 });
    allowance.facts(3);
    expect(() => allowance.facts(1)).toThrow(/may write 3 events/);
  });
});
