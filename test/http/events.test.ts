import { get } from "node:http";
import { connect } from "node:net";
import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Coordinator, PlacedEvent } from "../../src/coordinator/coordinator.ts";
import { EventFeed } from "../../src/http/event-feed.ts";
import { type Log, silentLog } from "../../src/log/log.ts";
import { jobId } from "../../src/protocol/ids.ts";
import type { JobView } from "../../src/protocol/job-view.ts";
import { openServed, type Served } from "./served.ts";

let served: Served;
beforeAll(async () => {
  served = await openServed({ limits: { heartbeatMs: 50 } });
});
afterAll(() => served[Symbol.asyncDispose]());

interface Reading {
  ids: number[];
  types: string[];
  comments: string[];
  isEnded: boolean;
}

/** Reads a stream until it ends, or until `most` events were seen and the client hangs up. */
function read(path: string, { most = Number.POSITIVE_INFINITY, last = 0 } = {}): Promise<Reading> {
  const { promise, resolve, reject } = Promise.withResolvers<Reading>();
  const seen: Reading = { ids: [], types: [], comments: [], isEnded: false };
  const headers = { ...served.authorized, ...(last === 0 ? {} : { "last-event-id": String(last) }) };
  const request = get(`${served.url}${path}`, { headers, agent: false }, (answer) => {
    const parser = createParser({
      onEvent(event) {
        if (seen.ids.length >= most) return;
        seen.ids.push(Number(event.id));
        seen.types.push(event.event ?? "");
        if (seen.ids.length === most) request.destroy();
      },
      onComment: (comment) => seen.comments.push(comment),
    });
    answer.setEncoding("utf8").on("data", (text: string) => parser.feed(text));
    answer.on("end", () => resolve({ ...seen, isEnded: true }));
    answer.on("error", () => resolve(seen));
    answer.on("close", () => resolve(seen));
    if (answer.statusCode === 204) resolve({ ...seen, isEnded: true });
  });
  request.on("error", (error) => (seen.ids.length >= most ? resolve(seen) : reject(error)));
  return promise;
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe("a job's events over HTTP", () => {
  it("come once each and in order, whenever a reader goes and comes back, up to one last event", async () => {
    const hops = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 0, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(hops, async (counts) => {
        const job = await served.submit("many-4");
        const ids: number[] = [];
        let types: string[] = [];
        for (const most of [...counts, Number.POSITIVE_INFINITY]) {
          const part = await read(`/v1/jobs/${job.id}/events`, { most, last: ids.at(-1) ?? 0 });
          ids.push(...part.ids);
          types = [...types, ...part.types];
        }
        const view = await served.coordinator.job(job.id);
        expect(ids).toEqual(upTo(view?.events ?? 0));
        expect(types.filter((type) => type === "job.finished")).toHaveLength(1);
        expect(types.at(-1)).toBe("job.finished");
      }),
      { numRuns: 6 },
    );
  });

  it("are carried on from `after`, over which Last-Event-ID goes; a place that is not there is refused", async () => {
    const job = await served.submit("write");
    const all = await read(`/v1/jobs/${job.id}/events`);
    const last = all.ids.length;
    expect((await read(`/v1/jobs/${job.id}/events?after=3`)).ids).toEqual(upTo(last).slice(3));
    expect((await read(`/v1/jobs/${job.id}/events?after=3`, { last: 7 })).ids).toEqual(upTo(last).slice(7));
    const over = await served.ask(`/v1/jobs/${job.id}/events?after=${last}`);
    expect(over.status).toBe(204);
    for (const bad of [String(last + 1), "-1", "1.5", "x", "9".repeat(30)]) {
      const refused = await served.ask(`/v1/jobs/${job.id}/events?after=${bad}`);
      expect([bad, refused.status]).toEqual([bad, 400]);
      expect(await refused.json()).toMatchObject({ code: "invalid" });
    }
    const head = await served.ask(`/v1/jobs/${job.id}/events`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([200, "text/event-stream", ""]);
  });

  it("are kept open by comments, and end with one when the job is cancelled only after its last event", async () => {
    const job = await served.submit("wait");
    const reading = read(`/v1/jobs/${job.id}/events`);
    while (!(await served.coordinator.job(job.id).then((view) => (view?.events ?? 0) > 10))) await tick();
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect((await served.ask(`/v1/jobs/${job.id}/cancel`, { method: "POST" })).status).toBe(202);
    const { types, comments, isEnded } = await reading;
    expect([types.at(-1), isEnded]).toEqual(["job.finished", true]);
    expect(comments.filter((comment) => comment.includes("still here")).length).toBeGreaterThan(0);
  });

  it("reach a thousand readers at once", async () => {
    const job = await served.submit("many-3");
    const readings = await Promise.all(upTo(1_000).map(() => read(`/v1/jobs/${job.id}/events`)));
    const view = await served.coordinator.job(job.id);
    const whole = upTo(view?.events ?? 0).join();
    expect(readings.filter(({ ids, isEnded }) => !isEnded || ids.join() !== whole)).toEqual([]);
  });
});

describe("a reader that never reads", () => {
  it("is dropped, holds up no other one, and costs the server no more than what it was handed last", async () => {
    const events = 400;
    const big = "x".repeat(64 * 1024);
    const made: PlacedEvent[] = upTo(events).map((pos) => ({ pos, event: eventAt(pos, pos === events, big) }));
    const dropped = Promise.withResolvers<void>();
    const log: Log = {
      ...silentLog,
      info: (_message, fields) => (fields?.caller === "first" && closed++ === 1 ? dropped.resolve() : undefined),
    };
    let closed = 0;
    const instead = (coordinator: Coordinator) => loggedAs(coordinator, made);
    await using own = await openServed({ limits: { stallMs: 3_000 }, instead, log });
    const { port } = new URL(own.url);
    const deaf = connect(Number(port), "127.0.0.1").pause();
    const path = `/v1/jobs/${someId}/events`;
    deaf.on("error", () => {});
    deaf.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${own.secret}\r\n\r\n`);
    const other = await own.ask(path);
    expect((await other.text()).match(/^id: /gm)).toHaveLength(events);
    await dropped.promise;
    deaf.destroy();
  });
});

describe("a feed", () => {
  it("reads a log once for all who read together, and never more than a page for one who does not go on", async () => {
    const made = upTo(5_000).map((pos) => ({ pos, event: eventAt(pos, pos === 5_000, "x".repeat(2_000)) }));
    let handed = 0;
    const feed = new EventFeed(jobId.parse(someId), {
      async *events(_id, { after }) {
        for (let from = after; from < made.length; from += 500) {
          handed += 500;
          yield made.slice(from, from + 500);
        }
      },
    });
    await feed.next(0);
    expect(handed).toBeLessThanOrEqual(1_000);
    const follow = async () => {
      let position = 0;
      for (let chunk = await feed.next(0); chunk; chunk = await feed.next(position)) position = chunk.to;
      return position;
    };
    expect(await Promise.all(upTo(50).map(follow))).toEqual(Array(50).fill(5_000));
    expect(handed).toBeLessThan(5_000 * 3);
    feed.close();
  });

  it("hands every reader the same events, wherever each begins, however the log is cut and however much it forgets", async () => {
    const shape = fc.record({
      count: fc.integer({ min: 1, max: 60 }),
      cuts: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 10 }),
      starts: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
      size: fc.constantFrom(10, 3_000, 300_000),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ count, cuts, starts, size }) => {
        const made = upTo(count).map((pos) => ({ pos, event: eventAt(pos, pos === count, "y".repeat(size)) }));
        let stored = 0;
        let cut = 0;
        const feed = new EventFeed(jobId.parse(someId), {
          async *events(_id, { after, isFollowed }) {
            for (let from = after; from < count; ) {
              if (from >= stored && !isFollowed) return;
              await tick();
              stored = Math.min(count, Math.max(stored, from + (cuts[cut++ % cuts.length] ?? 1)));
              yield made.slice(from, stored);
              from = stored;
            }
          },
        });
        // Whoever names a place has been handed it before.
        await idsAfter(0, feed);
        const places = starts.map((start) => start % count);
        expect(await Promise.all(places.map((start) => idsAfter(start, feed)))).toEqual(
          places.map((start) => upTo(count).slice(start)),
        );
        feed.close();
      }),
      { numRuns: 40 },
    );
  });
});

const someId = "01890000-0000-7000-8000-000000000001";

function eventAt(pos: number, isLast: boolean, text: string): PlacedEvent["event"] {
  const place = { run_id: someId, seq: pos, id: someId, at: 0 };
  if (isLast) return { type: "job.finished", data: { outcome: "succeeded", exit_code: 0, result: {} }, ...place };
  return { type: "tool.finished", data: { call_id: "c", tool: "read", is_error: false, content: text }, ...place };
}

async function idsAfter(start: number, feed: EventFeed): Promise<number[]> {
  const ids: number[] = [];
  for (let position = start; ; ) {
    const chunk = await feed.next(position);
    const text = Buffer.from(chunk?.bytes ?? []).toString();
    ids.push(...Array.from(text.matchAll(/^id: (\d+)$/gm), ([, id]) => Number(id)));
    if (!chunk || chunk.isEnd) return ids;
    position = chunk.to;
  }
}

/** The real coordinator, whose job of that id has this log. */
function loggedAs(coordinator: Coordinator, made: readonly PlacedEvent[]): Coordinator {
  const view: JobView = {
    id: jobId.parse(someId),
    handle: "made-1",
    name: "made",
    state: "running",
    repository: "/nowhere",
    base_commit: "0".repeat(40),
    trace_id: "1".repeat(32),
    events: made.length,
    created_at: new Date(0).toISOString(),
  };
  return {
    ...coordinator,
    job: async () => view,
    async *events(_id, { after }) {
      for (let from = after; from < made.length; from += 50) yield made.slice(from, from + 50);
    },
  };
}

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
