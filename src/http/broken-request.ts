import { type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type Clock, newUuid } from "../protocol/ids.ts";
import { type Refusal, toProblem } from "./problem.ts";

/**
 * Answers what is no request of HTTP/1.1, or one that was given up: a problem as well, and the end of the connection.
 * It writes nothing where an earlier answer on that connection is still being written.
 */
export function answerBrokenRequest(server: Server, clock: Clock): void {
  const underWay = new WeakMap<Socket, Set<ServerResponse>>();
  server.on("request", ({ socket }, outgoing) => {
    const answers = underWay.get(socket) ?? new Set();
    underWay.set(socket, answers.add(outgoing));
    outgoing.once("close", () => answers.delete(outgoing));
  });
  server.on("clientError", (error: Error & { code?: string }, stream) => {
    const socket = stream as Socket;
    const isSilent = [...(underWay.get(socket) ?? [])].every((outgoing) => !outgoing.headersSent);
    if (!socket.writable || !isSilent || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    end(socket, reasons[error.code ?? ""] ?? notHttp, clock);
  });
  server.on("connect", (_incoming, socket) => end(socket as Socket, noTunnel, clock));
}

function end(socket: Socket, refusal: Refusal, clock: Clock): void {
  socket.on("error", () => socket.destroy());
  const { status, ...said } = toProblem(refusal, newUuid(clock));
  const body = JSON.stringify({ ...said, status });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: no-store",
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy: no-referrer",
    "X-Content-Type-Options: nosniff",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroySoon());
}

const noTunnel = { code: "method_not_allowed", detail: "this server is no proxy: CONNECT is for no address" };
const notHttp = { code: "bad_request", detail: "what came is no well-formed request of HTTP/1.1" };
const reasons: Readonly<Record<string, { code: string; detail: string }>> = {
  HPE_HEADER_OVERFLOW: { code: "headers_too_large", detail: "the headers are larger than this server takes" },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { code: "content_too_large", detail: "the body's chunks carry too many extensions" },
  ERR_HTTP_REQUEST_TIMEOUT: { code: "request_timeout", detail: "the request did not arrive in time" },
};
