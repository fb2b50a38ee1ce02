import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServed, type Served } from "./served.ts";

let served: Served;
let trouble: string | undefined;
let now = Date.now();
beforeAll(async () => {
  const clock = { now: () => now, random: (count: number) => new Uint8Array(count) };
  served = await openServed({
    limits: { streams: 3, streamsPerJob: 2 },
    changed: (order) => ({ ...order, clock, trouble: async () => trouble }),
  });
});
afterAll(() => served[Symbol.asyncDispose]());

describe("a server that cannot take more", () => {
  it("says that it is not ready while its database is away or a disk is full, and that it is, afterwards", async () => {
    const ready = async () => {
      now += 2_000;
      const answer = await served.ask("/readyz");
      return { status: answer.status, ...((await answer.json()) as object) };
    };
    expect(await ready()).toEqual({ status: "ready" });
    trouble = "storage_full";
    expect(await ready()).toMatchObject({
      status: 503,
      code: "not_ready",
      detail: expect.stringMatching(/a disk is full/),
    });
    trouble = "database_unavailable";
    expect(await ready()).toMatchObject({
      code: "not_ready",
      detail: expect.stringMatching(/database does not answer/),
    });
    trouble = undefined;
    expect(await ready()).toEqual({ status: "ready" });
  });

  it("lets so many read a job's events, and so many all jobs', and refuses the next by name of the limit", async () => {
    const [one, two] = [await served.submit("wait"), await served.submit("wait")];
    const follow = (id: string) => served.ask(`/v1/jobs/${id}/events`);
    const open = [await follow(one.id), await follow(one.id)];
    const third = await follow(one.id);
    expect(third.status).toBe(429);
    expect(third.headers.get("retry-after")).toBe("10");
    expect(await third.json()).toMatchObject({
      code: "too_many_streams",
      detail: expect.stringMatching(/^2 .*this job/),
    });
    open.push(await follow(two.id));
    expect(await (await follow(two.id)).json()).toMatchObject({ detail: expect.stringMatching(/^3 .*this server/) });
    for (const each of open) await each.body?.cancel();
    await expect.poll(async () => (await follow(two.id)).status).toBe(200);
    for (const { id } of [one, two]) await served.ask(`/v1/jobs/${id}/cancel`, { method: "POST" });
    await served.coordinator.idle();
  });
});
