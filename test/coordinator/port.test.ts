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

it("A span goes to the hub as it came, whatever it holds.", async () => {
  const heard: unknown[] = [];
  const view = { now: () => 1, progressed: () => {}, span: (message: unknown) => heard.push(message) };
  const port = new HostPort(view as unknown as HostView);
  for (const message of [{ at: "end" }, null, 7]) port.threadEnd.postMessage({ kind: "span", message });
  port.threadEnd.close();
  await port.close();
  expect(heard).toEqual([{ at: "end" }, null, 7]);
  expect(port.thrown).toBeUndefined();
});
