import { type IncomingMessage, type ServerResponse, request as send } from "node:http";
import { type DialOptions, dial } from "./dial.ts";
import type { Wanted } from "./judge-request.ts";
import type { Pending } from "./record.ts";

/**
 * One plain HTTP request, read whole and written anew, on a connection of its own. Nothing of how the client framed it
 * is passed on, so what was judged is what the host gets.
 */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { wanted, pending, ...options }: DialOptions & { wanted: Wanted; pending: Pending },
): Promise<void> {
  const dialled = await dial(wanted, options);
  if ("reason" in dialled) {
    pending.refused(wanted, dialled.reason, dialled.address);
    return refuse(response, dialled);
  }
  const { socket } = dialled;
  pending.connected(wanted, socket);
  response.once("close", () => socket.destroy());
  socket.setTimeout(idleMs, () => socket.destroy());
  if (response.closed) return void socket.destroy();
  const { host, port, path } = wanted;
  const headers = endToEnd(request.rawHeaders, port === 80 ? host : `${host}:${port}`);
  const outgoing = send({ createConnection: () => socket, method: request.method, path, headers, setHost: false });
  outgoing.on("error", () => failed(response, host));
  socket.once("close", () => response.headersSent || failed(response, host));
  outgoing.on("response", (answer) => passOn(answer, response, host));
  request.pipe(outgoing);
}

/** A host may answer what cannot be said again: such an answer is none. Its words beside the status are dropped. */
function passOn(answer: IncomingMessage, response: ServerResponse, host: string): void {
  answer.on("error", () => response.destroy());
  try {
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.rawHeaders));
    answer.pipe(response);
  } catch {
    answer.destroy();
    failed(response, host);
  }
}

/** A connection on which nothing is said for so long is ended. */
export const idleMs = 5 * 60_000;

/** What a client reads when it is refused. */
export function refuse(response: ServerResponse, { status, reason }: { status: number; reason: string }): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(`sheaf: ${reason}\n`);
}

function failed(response: ServerResponse, host: string): void {
  if (response.headersSent) response.destroy();
  else refuse(response, { status: 502, reason: `${host} ended the connection without a whole answer` });
}

/** RFC 9110 section 7.6.1, and those of old that some still send. */
const hopByHop = new Set([
  "connection",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Raw pairs. With `host` it is a request: one Host, and a body of unknown length in chunks. */
function endToEnd(raw: readonly string[], host?: string): string[] {
  const pairs = Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2] ?? "", raw[index * 2 + 1] ?? ""]);
  const named = (name: string) => pairs.filter(([key]) => key?.toLowerCase() === name).map(([, value]) => value ?? "");
  const dropped = new Set(named("connection").flatMap((value) => value.toLowerCase().split(/[\s,]+/)));
  const isKept = (name: string) =>
    !hopByHop.has(name) &&
    (name === "content-length" || !dropped.has(name)) &&
    !(host !== undefined && name === "host");
  const kept = pairs.filter(([key = ""]) => isKept(key.toLowerCase())).flat();
  if (host === undefined) return kept;
  const framing = named("transfer-encoding").length > 0 ? ["Transfer-Encoding", "chunked"] : [];
  return ["Host", host, ...kept, ...framing, "Connection", "close"];
}
