import { type ClientRequest, type IncomingMessage, request as overHttp, type RequestOptions } from "node:http";
import { request as overHttps } from "node:https";
import type { Socket } from "node:net";
import { type Readable, Transform } from "node:stream";
import { type DialOptions, dial } from "./dial.ts";

/**
 * fetch for one address: it reaches that origin and no other, by an address that was judged as a command's would be, and
 * follows no redirect. What comes back is bounded, in length or, where it is a stream of events, in each event and in all
 * that comes since somebody last asked.
 */
export interface JudgedOptions extends DialOptions {
  /** Sent with each request; whoever asks cannot replace them. */
  headers: Readonly<Record<string, string>>;
  /** Of all its streams together; whoever asks anew sets it back. */
  heard?: Heard;
}

export interface Heard {
  bytes: number;
  events: number;
}

export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const mostBytes = 8 * 1024 * 1024;
/** Of streams, since something was last asked. */
const mostStreamed = 64 * 1024 * 1024;
const mostEvents = 20_000;

/** Rejects where the network says no; throws nothing by itself. */
export function createJudgedFetch(base: URL, options: JudgedOptions): Fetch {
  return async (written, init = {}) => {
    const url = new URL(written);
    if (url.origin !== base.origin) throw new Error(`it leads away from ${base.origin}, to ${url.origin}`);
    const signal = init.signal ? AbortSignal.any([init.signal, options.signal]) : options.signal;
    const dialled = await dial({ host: url.hostname, port: portOf(url) }, { ...options, signal });
    if (!("socket" in dialled)) throw new Error(dialled.reason);
    const { socket } = dialled;
    const headers = { ...Object.fromEntries(new Headers(init.headers)), ...options.headers, host: url.host };
    try {
      const asked = send(url, { method: init.method ?? "GET", headers, signal, agent: false }, socket);
      return await answered(asked, init, options.heard);
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    }
  };
}

export function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

/** Over the connection that was judged, and none of its own. */
function send(url: URL, wanted: RequestOptions, socket: Socket): ClientRequest {
  return url.protocol === "https:"
    ? overHttps(url, { ...wanted, servername: url.hostname, socket } as RequestOptions)
    : overHttp(url, { ...wanted, createConnection: () => socket });
}

function answered(asked: ClientRequest, { body }: RequestInit, heard: Heard | undefined): Promise<Response> {
  return new Promise((resolve, reject) => {
    asked.on("error", reject);
    asked.once("response", (message) => resolve(responseOf(message, heard)));
    asked.end(typeof body === "string" ? body : undefined);
  });
}

function responseOf(message: IncomingMessage, heard: Heard | undefined): Response {
  const { statusCode: status = 502, statusMessage: statusText = "" } = message;
  const headers = new Headers();
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    headers.append(message.rawHeaders[at] ?? "", message.rawHeaders[at + 1] ?? "");
  }
  const isEmpty = status === 204 || status === 205 || status === 304;
  if (isEmpty) message.resume();
  // Not Readable.toWeb: data that comes after its reader has left would be thrown at nobody, and end the process.
  const body = isEmpty ? null : ReadableStream.from(bounded(message, heard));
  return new Response(body, { status, statusText, headers });
}

/** Each event ends with an empty line. */
function bounded(message: IncomingMessage, heard: Heard = { bytes: 0, events: 0 }): Readable {
  const isStream = /^text\/event-stream\b/i.test(message.headers["content-type"] ?? "");
  let bytes = 0;
  const bound = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      const events = isStream ? (chunk.toString("latin1").match(/\r\n\r\n|\n\n|\r\r/g)?.length ?? 0) : 0;
      if (events > 0) bytes = 0;
      if (isStream) heard.bytes += chunk.length;
      heard.events += events;
      done(complaintOf(bytes, heard), chunk);
    },
  });
  // Whoever reads it hears of it there.
  bound.on("error", () => {});
  message.on("error", (cause) => bound.destroy(cause));
  bound.on("close", () => message.destroy());
  return message.pipe(bound);
}

function complaintOf(bytes: number, heard: Heard): Error | null {
  if (bytes > mostBytes) return new Error(`it answers with over ${mostBytes} bytes`);
  if (heard.bytes <= mostStreamed && heard.events <= mostEvents) return null;
  return new Error(`it said over ${mostStreamed} bytes, or ${mostEvents} events, without being asked`);
}
