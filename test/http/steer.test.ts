import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { Fault } from "../../src/protocol/failure.ts";
import { jobId, taskId } from "../../src/protocol/ids.ts";
import { connect } from "../../src/remote/connection.ts";
import { remoteCoordinator } from "../../src/remote/remote-coordinator.ts";
import { openServed, type Served } from "./served.ts";

let served: Served;
beforeAll(async () => {
  served = await openServed();
});
afterAll(() => served[Symbol.asyncDispose]());

const problem = z.object({ code: z.string(), detail: z.string() });

async function steer(job: string, body: unknown): Promise<[number, unknown]> {
  const headers = { "content-type": "application/json" };
  const answer = await served.ask(`/v1/jobs/${job}/steer`, { method: "POST", headers, body: JSON.stringify(body) });
  const text: unknown = await answer.json();
  return [answer.status, answer.status < 300 ? text : problem.parse(text).code];
}

it("words reach a running job, and what nobody would hear is refused with its reason", async () => {
  const { id, handle } = await served.submit("wait");
  const remote = connect({ url: served.url, token: served.secret });
  const there = remoteCoordinator(remote);
  const job = jobId.parse(id);
  // Its one task ends at once, and a check keeps the job.
  for await (const batch of there.events(job, { after: 0, isFollowed: true })) {
    if (batch.some(({ event }) => event.type === "task.finished")) break;
  }
  expect(await steer(handle, { text: "hello" })).toEqual([202, { tasks: [] }]);
  expect(await steer(id, { text: "hello", task: "t0" })).toEqual([409, "conflict"]);
  expect(await steer(id, { text: "hello", task: "nope" })).toEqual([404, "unknown_task"]);
  expect(await steer("nobody-1", { text: "hello" })).toEqual([404, "unknown_job"]);
  for (const body of [{}, { text: " \n" }, { text: "x".repeat(8_001) }, { text: "a\0" }, { text: "a", to: "b" }, []]) {
    expect(await steer(id, body), JSON.stringify(body).slice(0, 50)).toEqual([400, "invalid"]);
  }
  expect(await steer(id, { text: "hello", task: "a b" })).toEqual([400, "invalid"]);
  expect(await there.steer(job, { text: "x".repeat(8_000) })).toEqual({ tasks: [] });
  const late = there.steer(job, { text: "hello", task: taskId.parse("t0") });
  await expect(late).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("has ended") });
  await there.cancel(job);
  for await (const _ of there.events(job, { after: 0, isFollowed: true }));
  const over = await there.steer(job, { text: "hello" }).catch((thrown: unknown) => thrown);
  expect(over).toBeInstanceOf(Fault);
  expect(over).toMatchObject({ code: "conflict", message: expect.stringMatching(/is over: cancelled; nobody/) });
  remote.close();
});
