import type { IncomingMessage } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { z } from "zod";
import type { PlacedEvent } from "../coordinator/coordinator.ts";
import { type Event, fact } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import type { Connection } from "./connection.ts";

/** How often a stream that broke off is taken up again before it is given up, with nothing heard in between. */
const mostBreaks = 5;
const pauseMs = 200;

/** A job's events from another process, each once and in order, over as many connections as it takes. */
export async function* follow(
  connection: Connection,
  id: JobId,
  { after, signal }: { after: number; signal?: AbortSignal | undefined },
): AsyncGenerator<PlacedEvent[]> {
  const reading: Reading = { pos: after, isEnd: false, hasHeard: false };
  for (let breaks = 0; breaks <= mostBreaks; breaks++) {
    if (breaks > 0) await wait(pauseMs * 2 ** breaks, undefined, { signal }).catch(() => {});
    yield* readOn(connection, id, { reading, signal });
    if (reading.isEnd || signal?.aborted) return;
    if (reading.hasHeard) breaks = 0;
  }
  throw reading.thrown ?? new Fault("provider_unavailable", `${connection.name} broke off again and again`);
}

interface Reading {
  pos: number;
  isEnd: boolean;
  hasHeard: boolean;
  /** Why the last stream broke off. */
  thrown?: unknown;
}

/** One stream from where the last one ended, until it ends or breaks off. */
async function* readOn(
  connection: Connection,
  id: JobId,
  { reading, signal }: { reading: Reading; signal: AbortSignal | undefined },
): AsyncGenerator<PlacedEvent[]> {
  reading.hasHeard = false;
  let opened = Number.POSITIVE_INFINITY;
  const headers = { accept: "text/event-stream", "last-event-id": String(reading.pos) };
  try {
    const incoming = await connection.stream({ path: `/v1/jobs/${id}/events`, headers, signal });
    reading.isEnd = incoming === undefined;
    opened = performance.now();
    if (incoming === undefined) return;
    for await (const batch of batches(incoming)) {
      reading.hasHeard = true;
      reading.pos = batch.at(-1)?.pos ?? reading.pos;
      reading.isEnd = batch.at(-1)?.event.type === "job.finished";
      yield batch;
    }
  } catch (thrown) {
    if (!isPassing(thrown)) throw thrown;
    reading.thrown = thrown;
  } finally {
    // One that stood for a while without an event is no broken one: the job is quiet.
    reading.hasHeard ||= performance.now() - opened > standingMs;
  }
}

const standingMs = 5_000;

function isPassing(thrown: unknown): boolean {
  return !(thrown instanceof Fault) || thrown.code === "provider_unavailable";
}

async function* batches(incoming: IncomingMessage): AsyncGenerator<PlacedEvent[]> {
  const heard: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => heard.push(message) });
  incoming.setEncoding("utf8");
  for await (const text of incoming) {
    parser.feed(String(text));
    const batch = heard.splice(0).map(placed);
    if (batch.length > 0) yield batch;
  }
}

const place = z.object({
  run_id: z.string(),
  seq: z.number(),
  id: z.string(),
  at: z.number(),
  span_id: z.string().optional(),
});

/** The fact is checked and then handed on as it was sent, unknown keys included. */
function placed({ id, data }: EventSourceMessage): PlacedEvent {
  const sent: unknown = JSON.parse(data);
  if (!isEvent(sent))
    throw new Fault("provider_unavailable", "the server sent an event that this version does not know");
  return { pos: Number(id), event: sent };
}

function isEvent(sent: unknown): sent is Event {
  return fact.safeParse(sent).success && place.safeParse(sent).success;
}
