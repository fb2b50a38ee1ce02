import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Duplex, duplexPair } from "node:stream";
import type { NetworkGrant, NetworkTarget } from "../driver.ts";
import type { DialOptions } from "./dial.ts";
import { forward, idleMs, refuse } from "./forward.ts";
import { judgeRequest } from "./judge-request.ts";
import { createRecorder, type Recorder } from "./record.ts";
import { sayNo, tunnel } from "./tunnel.ts";

/**
 * The one way out of a command's sandbox: an HTTP proxy for that command alone. Each request is decided by itself, also
 * the second one on a connection; what is malformed, ambiguous or not granted is refused, and told like the rest.
 */
export interface ProxyOptions extends Omit<DialOptions, "signal"> {
  now: () => number;
}

export interface CommandProxy {
  server: Server;
  /** Ends every connection; resolves when each was told of. */
  close(): Promise<void>;
}

/** Of connections, and of requests at one time: a connection may carry many. */
const mostConnections = 128;
const headerMs = 10_000;
const requestMs = 15 * 60_000;

export function createProxy(grant: NetworkGrant, options: ProxyOptions): CommandProxy {
  const clients = new Set<Duplex>();
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const recorder = createRecorder(grant.heard, options.now);
  const context: Context = { targets: grant.targets, dial: { ...options, signal: stop.signal }, recorder, active: 0 };
  const server = createHttp(() => undefined, context);
  const tunnelled = new WeakMap<Duplex, NetworkTarget>();
  const inner = createHttp((client) => tunnelled.get(client), context);
  const plain = (target: NetworkTarget) => (client: Duplex, first: Buffer) => {
    const [own, other] = duplexPair();
    tunnelled.set(other, target);
    own.on("error", () => client.destroy());
    other.on("error", () => {});
    client.once("close", () => own.destroy());
    inner.emit("connection", other);
    own.write(first);
    client.pipe(own).pipe(client);
  };
  server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on("error", () => client.destroy());
    watch(client, connect(request, client, { head, plain, context }));
  });
  inner.on("connect", (request: IncomingMessage, client: Duplex) => {
    client.on("error", () => client.destroy());
    refuseTunnel(request, client, { pinned: tunnelled.get(client), context });
  });
  server.maxConnections = mostConnections;
  // Told once: whoever knocks again and again would fill the record with it.
  server.once("drop", () => {
    recorder.begin()?.refused({ host: "", port: 0 }, `a command may have ${mostConnections} connections at one time`);
  });
  server.on("connection", (client) => {
    clients.add(client);
    client.setTimeout(idleMs, () => client.destroy());
    client.once("close", () => clients.delete(client));
  });
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    stop.abort();
    for (const client of clients) client.destroy();
    recorder.close();
    await closed;
  };
  return { server, close };
}

interface Context {
  targets: readonly NetworkTarget[];
  dial: DialOptions;
  recorder: Recorder;
  /** Requests under way. */
  active: number;
}

function createHttp(pinnedOf: (client: Duplex) => NetworkTarget | undefined, context: Context): Server {
  const limits = { headersTimeout: headerMs, requestTimeout: requestMs, connectionsCheckingInterval: 2_000 };
  const strict = { insecureHTTPParser: false, maxHeaderSize: 16 * 1024, keepAliveTimeout: 30_000 };
  const server = createServer({ ...limits, ...strict }, (request, response) => {
    watch(response, answer(request, response, { pinned: pinnedOf(request.socket), context }));
  });
  // What is over a limit would be left out in silence; the size of all headers is limited instead.
  server.maxHeadersCount = 0;
  server.on("clientError", (error: Error & { code?: string }, client) => {
    const pinned = pinnedOf(client) ?? { host: "", port: 0 };
    if (error.code !== "ECONNRESET") context.recorder.begin()?.refused(pinned, `no request of HTTP: ${error.code}`);
    if (client.writable) sayNo(client, { status: 400, reason: `this is no request of HTTP: ${error.code}` });
    else client.destroy();
  });
  return server;
}

const tooMany = { status: 403, reason: "this command has asked as often as a command may" } as const;
const tooManyAtOnce = `a command may have ${mostConnections} requests at one time`;

/** Whether one more is taken; it counts until its client is done with it. */
function isTaken(client: { once(event: "close", leave: () => void): unknown }, context: Context): boolean {
  if (context.active >= mostConnections) return false;
  context.active++;
  client.once("close", () => context.active--);
  return true;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { pinned, context }: { pinned: NetworkTarget | undefined; context: Context },
): Promise<void> {
  response.on("error", () => response.destroy());
  request.on("error", () => {});
  const pending = context.recorder.begin();
  if (!pending) return refuse(response, tooMany);
  const wanted = isTaken(response, context)
    ? judgeRequest(request, { targets: context.targets, pinned })
    : { status: 403, reason: tooManyAtOnce, host: "", port: 0 };
  if (!("reason" in wanted)) return forward(request, response, { ...context.dial, wanted, pending });
  pending.refused(wanted, wanted.reason);
  refuse(response, wanted);
}

async function connect(
  request: IncomingMessage,
  client: Duplex,
  {
    head,
    plain,
    context,
  }: {
    head: Buffer;
    plain: (target: NetworkTarget) => (client: Duplex, first: Buffer) => void;
    context: Context;
  },
): Promise<void> {
  const pending = context.recorder.begin();
  if (!pending) return sayNo(client, tooMany);
  const wanted = judgeRequest(request, { targets: context.targets });
  if (!("reason" in wanted)) {
    return tunnel(client, head, { ...context.dial, wanted, pending, plain: plain(wanted) });
  }
  pending.refused(wanted, wanted.reason);
  sayNo(client, wanted);
}

function refuseTunnel(
  request: IncomingMessage,
  client: Duplex,
  { pinned, context }: { pinned: NetworkTarget | undefined; context: Context },
): void {
  const wanted = judgeRequest(request, { targets: context.targets, pinned });
  if (!("reason" in wanted)) return void client.destroy();
  context.recorder.begin()?.refused(wanted, wanted.reason);
  sayNo(client, wanted);
}

/** A mistake of ours ends that request, and the rest of the command's network stays as strict as it was. */
function watch(client: { destroy(): unknown }, work: Promise<void>): void {
  work.catch(() => void client.destroy());
}
