import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { FetchLike, Transport } from "@modelcontextprotocol/sdk/shared/transport.js";

/** The ways to a server at an address: that of today, and the older one, which is tried where the first is refused. */
export function urlTransports(url: URL, fetch: FetchLike): (() => Transport)[] {
  return [() => new PoliteTransport(url, { fetch }), () => new SSEClientTransport(url, { fetch })];
}

const farewellMs = 1_000;

/** Tells the server that its session is over; how it takes that is its own affair. */
class PoliteTransport extends StreamableHTTPClientTransport {
  override async close(): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, farewellMs).unref());
    if (this.sessionId !== undefined) await Promise.race([this.terminateSession().catch(() => {}), late]);
    await super.close();
  }
}
