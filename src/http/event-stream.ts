import type { ServerResponse } from "node:http";
import type { Chunk, EventFeed } from "./event-feed.ts";

/**
 * Writes a job's events to one reader, as fast as that reader takes them and no faster: nothing is read ahead for it,
 * and one that takes nothing for too long is dropped. Every event goes out once, in order; after the last one it ends.
 */
export async function streamEvents(outgoing: ServerResponse, reader: Reader): Promise<void> {
  const { stop, isWelcome } = reader;
  const gone = goneFrom(outgoing, stop);
  outgoing.writeHead(200, streamHead);
  outgoing.write(opening);
  const heartbeat = setInterval(() => {
    if (!outgoing.writableNeedDrain) outgoing.write(": still here\n\n");
    void isWelcome().then((isSo) => isSo || outgoing.destroy());
  }, reader.heartbeatMs);
  try {
    await writeAll(outgoing, reader, gone.promise);
    if (stop.aborted && outgoing.writable) outgoing.write(": the server is stopping; resume with Last-Event-ID\n\n");
    if (outgoing.writable) outgoing.end();
  } finally {
    clearInterval(heartbeat);
    gone.release();
    if (!outgoing.writableEnded) outgoing.destroy();
  }
}

interface Reader {
  feed: EventFeed;
  /** It has the events up to this one. */
  after: number;
  heartbeatMs: number;
  stallMs: number;
  /** Asked at each heartbeat; who is not any more is dropped. */
  isWelcome(): Promise<boolean>;
  /** Aborts when the server stops. */
  stop: AbortSignal;
}

/** Until the last event, or until the reader is gone. */
async function writeAll(outgoing: ServerResponse, reader: Reader, gone: Promise<"gone">): Promise<void> {
  for (let position = reader.after; ; ) {
    const chunk = await Promise.race([reader.feed.next(position), gone]);
    if (chunk === undefined || chunk === "gone") return;
    if (!(await write(chunk, { outgoing, gone, stallMs: reader.stallMs })) || chunk.isEnd) return;
    position = chunk.to;
  }
}

/** Of every answer that is a stream of events, the one to HEAD included. */
export const streamHead = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  // Some proxies would hold it back until it ends.
  "x-accel-buffering": "no",
};

/** Sent at once, so that the reader knows it is heard; and how long to wait before coming back after a break. */
const opening = "retry: 2000\n: the job's events\n\n";

/** False when the reader went, or took nothing for `stallMs`. */
async function write(
  { bytes }: Chunk,
  { outgoing, gone, stallMs }: { outgoing: ServerResponse; gone: Promise<"gone">; stallMs: number },
): Promise<boolean> {
  if (outgoing.write(bytes)) return true;
  const settled = Promise.withResolvers<"drained" | "stalled">();
  const drained = () => settled.resolve("drained");
  const timer = setTimeout(() => settled.resolve("stalled"), stallMs);
  outgoing.once("drain", drained);
  const how = await Promise.race([settled.promise, gone]);
  clearTimeout(timer);
  outgoing.off("drain", drained);
  if (how === "stalled") outgoing.destroy();
  return how === "drained";
}

/** Settles when the reader has gone or the server stops. */
function goneFrom(outgoing: ServerResponse, stop: AbortSignal): { promise: Promise<"gone">; release(): void } {
  const { promise, resolve } = Promise.withResolvers<"gone">();
  const leave = () => resolve("gone");
  outgoing.once("close", leave);
  outgoing.once("error", leave);
  stop.addEventListener("abort", leave);
  if (stop.aborted || outgoing.destroyed) leave();
  return {
    promise,
    release() {
      outgoing.off("close", leave);
      stop.removeEventListener("abort", leave);
    },
  };
}
