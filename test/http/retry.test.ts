import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { jobId } from "../../src/protocol/ids.ts";
import { connect } from "../../src/remote/connection.ts";
import { remoteCoordinator } from "../../src/remote/remote-coordinator.ts";
import { openServed, type Served } from "./served.ts";

let served: Served;
beforeAll(async () => {
  served = await openServed();
});
afterAll(() => served[Symbol.asyncDispose]());

async function post(path: string, body: unknown): Promise<[number, string | undefined]> {
  const headers = { "content-type": "application/json" };
  const answer = await served.ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  const text = z.object({ code: z.string().optional() }).parse(await answer.json());
  return [answer.status, text.code];
}

it("a job that is over is done again over HTTP, and is refused with its reason until then", async () => {
  const { id, handle } = await served.submit("wait");
  const remote = connect({ url: served.url, token: served.secret });
  const there = remoteCoordinator(remote);
  expect(await post(`/v1/jobs/${handle}/retry`, {})).toEqual([409, "conflict"]);
  expect(await post("/v1/jobs/nobody-1/retry", {})).toEqual([404, "unknown_job"]);
  await there.cancel(jobId.parse(id));
  for await (const _ of there.events(jobId.parse(id), { after: 0, isFollowed: true }));
  for (const body of [{ tasks: "t0" }, { fresh: 1 }, { task: ["t0"] }, []]) {
    expect(await post(`/v1/jobs/${id}/retry`, body), JSON.stringify(body)).toEqual([400, "invalid"]);
  }
  const again = await there.retry(jobId.parse(id), { fresh: true });
  expect(again.id).not.toBe(id);
  await there.cancel(again.id);
  expect(await again.done).toMatchObject({ outcome: "cancelled", job: { handle: again.handle } });
  remote.close();
});
