import { expect, it } from "vitest";
import { HostPort, type HostView } from "../../src/coordinator/port.ts";
import { UnfitFact } from "../../src/db/fact-rows.ts";

it("What a thread says that is no message is the failure of its run, not of Sheaf.", async () => {
  const view = { now: () => 1, progressed: () => {} } as unknown as HostView;
  const port = new HostPort(view);
  port.threadEnd.postMessage({ kind: "append", id: 1, facts: [{ type: "job.finished" }] });
  port.threadEnd.close();
  await port.close();
  expect(port.thrown?.cause).toBeInstanceOf(UnfitFact);
});
