import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, RequestError } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Log } from "../log/log.ts";
import { logRequest } from "../log/log-request.ts";
import { Fault } from "../protocol/failure.ts";
import { newUuid } from "../protocol/ids.ts";
import type { HttpApp } from "./app.ts";
import { answerBrokenRequest } from "./broken-request.ts";
import type { Exchange } from "./exchange.ts";
import { letGo } from "./let-go.ts";
import { refusalOf, toProblem } from "./problem.ts";

export interface Listening {
  /** With the port that was free where 0 was asked for. */
  url: string;
  /**
   * Takes no more connections, lets what is under way end (streams at once, with a comment), and closes what is left
   * after `limits.drainMs`.
   */
  close(): Promise<void>;
}

interface Place {
  /** 0: one that is free. */
  port: number;
  host: string;
}

/** Opens the app to whoever has a token. Throws Fault `configuration` where it cannot listen. */
export async function listen(app: HttpApp, place: Place): Promise<Listening> {
  const server = openServer(app, false);
  await startListening(server, place, app.log);
  return { url: addressOf(server, place.host), close: () => close(server, app) };
}

/** The server alone, not listening yet: for whoever has connections of their own to hand over, such as trusted ones. */
export function openServer(app: HttpApp, isTrusted: boolean): Server {
  const { limits } = app;
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: Math.min(5_000, limits.headersMs),
    // Answered as a problem instead.
    requireHostHeader: false,
  };
  const server = createServer(options, (incoming, outgoing) => {
    const exchange: Exchange = { id: newUuid(app.clock), isTrusted, address: incoming.socket.remoteAddress };
    prepare(outgoing, exchange);
    letGo({ incoming, outgoing, stallMs: limits.stallMs });
    tell(app, { incoming, outgoing, exchange });
    if (hostsOf(incoming) !== 1) sendProblem(outgoing, exchange, oneHost);
    else void answer(app, { incoming, outgoing, exchange });
  });
  // Refused by the app, where it is written down who asked.
  server.on("checkExpectation", (incoming, outgoing) => void server.emit("request", incoming, outgoing));
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 200;
  answerBrokenRequest(server, app.clock);
  return server;
}

interface Call {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  exchange: Exchange;
}

function answer(app: HttpApp, { incoming, outgoing, exchange }: Call): Promise<void> {
  const fetch = async (request: Request) => {
    const response = await app.fetch(request, { incoming, outgoing, exchange });
    if (!exchange.writeItself) return response;
    exchange.writeItself(outgoing);
    return RESPONSE_ALREADY_SENT;
  };
  const errorHandler = (thrown: unknown) => {
    if (outgoing.headersSent) outgoing.destroy();
    else if (thrown instanceof RequestError) sendProblem(outgoing, exchange, noTarget);
    else {
      exchange.failure = thrown;
      sendProblem(outgoing, exchange, refusalOf(thrown, exchange));
    }
  };
  return getRequestListener(fetch, { errorHandler })(incoming, outgoing);
}

/** Of every answer, whatever it is. A page of ours says for itself what it may do. */
function prepare(outgoing: ServerResponse, { id }: Exchange): void {
  outgoing.setHeader("x-request-id", id);
  outgoing.setHeader("cache-control", "no-store");
  outgoing.setHeader("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  outgoing.setHeader("x-content-type-options", "nosniff");
  outgoing.setHeader("referrer-policy", "no-referrer");
  outgoing.setHeader("cross-origin-resource-policy", "same-origin");
  outgoing.setHeader("cross-origin-opener-policy", "same-origin");
}

function tell(app: HttpApp, { incoming, outgoing, exchange }: Call): void {
  const began = performance.now();
  outgoing.once("close", () => {
    const { id, caller, span, failure } = exchange;
    logRequest(app.log, {
      method: incoming.method ?? "",
      url: incoming.url ?? "",
      status: outgoing.headersSent ? outgoing.statusCode : 499,
      durationMs: performance.now() - began,
      caller: caller?.name,
      fields: { request: id, ...span, ...(failure === undefined ? {} : { error: failure }) },
    });
  });
}

/** Two names for the server are one too many: whoever stands before it may have looked at the other one. */
function hostsOf({ rawHeaders }: IncomingMessage): number {
  return rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host").length;
}

const oneHost = { code: "bad_request", detail: "the request has no Host header, or more than one" };
const noTarget = { code: "bad_request", detail: "the request's target or Host is no address" };

function sendProblem(outgoing: ServerResponse, exchange: Exchange, refusal: { code: string; detail: string }): void {
  const said = toProblem(refusal, exchange.id);
  const body = JSON.stringify(said);
  const head = { "content-type": "application/problem+json", "content-length": Buffer.byteLength(body) };
  outgoing.writeHead(said.status, { ...head, connection: "close" });
  outgoing.end(body);
}

async function startListening(server: Server, { port, host }: Place, log: Log): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).once("listening", resolve);
  server.listen({ port, host });
  try {
    await promise;
  } catch (thrown) {
    throw cannotListen({ port, host }, thrown);
  }
  server.off("error", reject).on("error", (error) => log.error("the server cannot take a connection", { error }));
}

function cannotListen({ port, host }: Place, thrown: unknown): Fault {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : String(thrown);
  const [why, remedy] = reasons[code] ?? [code, "check server.host and server.port of the settings"];
  return new Fault("configuration", `cannot listen on ${host} port ${port}: ${why}`, { remedy, cause: thrown });
}

const reasons: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: ["something else listens there", "choose another port (--port), or end what has it"],
  EACCES: ["this user may not", "choose a port above 1023"],
  EADDRNOTAVAIL: ["that address is not of this machine", "name one of this machine's addresses, such as 127.0.0.1"],
  ENOTFOUND: ["there is no host of that name", "name an address of this machine, such as 127.0.0.1"],
};

function addressOf(server: Server, host: string): string {
  // Of a server that listens to a port.
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function close(server: Server, app: HttpApp): Promise<void> {
  app.drain();
  app.endStreams();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // An answer under way may leave its connection open for a next request, which nobody will hear.
  const sweep = setInterval(() => server.closeIdleConnections(), 100);
  const late = setTimeout(() => server.closeAllConnections(), app.limits.drainMs);
  try {
    await closed;
  } finally {
    clearInterval(sweep);
    clearTimeout(late);
  }
}
