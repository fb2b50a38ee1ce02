import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Nobody waits for a caller who takes nothing of an answer, nor, once it is answered, for the rest of a request, which
 * could take an hour to come.
 */
export function letGo({
  incoming,
  outgoing,
  stallMs,
}: {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  stallMs: number;
}): void {
  // A request that was destroyed has none any more.
  const { socket } = incoming;
  // All of it is written, and what has not left yet waits for the caller. What the caller sends meanwhile is no reason
  // to wait longer, as it would be for the socket's own timeout.
  outgoing.once("prefinish", () => {
    // An answer that was broken off has told of its close already.
    if (outgoing.destroyed) return;
    const late = setTimeout(() => socket.destroy(), stallMs + socket.writableLength / slowestBytesPerMs);
    late.unref();
    outgoing.once("close", () => clearTimeout(late));
  });
  outgoing.once("finish", () => {
    if (incoming.complete) return;
    const late = setTimeout(() => socket.destroy(), lingerMs);
    incoming.once("close", () => clearTimeout(late));
    incoming.resume();
  });
}

const lingerMs = 1_000;
const slowestBytesPerMs = 16;
