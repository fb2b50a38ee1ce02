import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import type { Way } from "./connection.ts";

/**
 * The ways to a server at an address: that of today, and the older one, which is tried where the first is refused. By the
 * first a server says nothing that it was not asked; by the other one it has one stream, and its end is the connection's.
 * `asked` is told of each request, so that somebody can count what comes without one.
 */
export function urlTransports(url: URL, fetch: FetchLike, asked: () => void): (() => Way)[] {
  return [() => new PoliteTransport(url, fetch, asked), () => new OldTransport(url, fetch, asked)];
}

const farewellMs = 1_000;

/** Tells the server that its session is over; how it takes that is its own affair. */
class PoliteTransport extends StreamableHTTPClientTransport {
  readonly isDeaf = true;
  readonly #asked: () => void;

  constructor(url: URL, fetch: FetchLike, asked: () => void) {
    super(url, { fetch: async (to, init) => (isGet(init) ? new Response(null, { status: 405 }) : fetch(to, init)) });
    this.#asked = asked;
  }

  override send(message: JSONRPCMessage, options?: Parameters<StreamableHTTPClientTransport["send"]>[1]) {
    if (isRequest(message)) this.#asked();
    return super.send(message, options);
  }

  override async close(): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, farewellMs).unref());
    if (this.sessionId !== undefined) await Promise.race([this.terminateSession().catch(() => {}), late]);
    await super.close();
  }
}

/** A stream that is opened anew belongs to a session of which the server knows nothing. */
class OldTransport extends SSEClientTransport {
  readonly #asked: () => void;

  constructor(url: URL, fetch: FetchLike, asked: () => void) {
    let streams = 0;
    const once: FetchLike = async (to, init) => {
      if (!isGet(init) || ++streams === 1) return fetch(to, init);
      void this.close();
      return new Response(null, { status: 204 });
    };
    super(url, { fetch: once });
    this.#asked = asked;
  }

  override send(message: JSONRPCMessage): Promise<void> {
    if (isRequest(message)) this.#asked();
    return super.send(message);
  }
}

function isGet(init: RequestInit | undefined): boolean {
  return (init?.method ?? "GET") === "GET";
}

function isRequest(message: JSONRPCMessage): boolean {
  return "method" in message && "id" in message;
}
