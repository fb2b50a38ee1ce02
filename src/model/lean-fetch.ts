import { type ClientRequest, type IncomingMessage, request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { pipeline, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";

/**
 * What the SDK needs of a fetch, at half of what Node's own costs a turn (`npm run bench -- agents`), most of which are
 * streams of the web around those of Node. It follows no redirect, asks for no compression and understands it all the
 * same, and keeps connections open, through the proxy of the environment where Node is told to use one.
 */
export function leanFetch(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const { signal } = init;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const asked = send(new URL(url instanceof Request ? url.url : url), init);
    asked.on("error", reject);
    // Where all of the answer is here its connection may be another request's already: that one is not to break.
    let answer: IncomingMessage | undefined;
    const breakOff = () => (answer?.complete ? answer : asked).destroy(signal?.reason);
    signal?.addEventListener("abort", breakOff, { once: true });
    asked.once("response", (message) => {
      answer = message;
      resolve(responseOf(message, String(url)));
    });
    asked.end(init.body);
  });
}

function send(url: URL, { method = "GET", headers, body }: RequestInit): ClientRequest {
  if (body !== undefined && body !== null && typeof body !== "string") {
    throw new TypeError("only a text can be sent as a request");
  }
  const length = body ? { "content-length": Buffer.byteLength(body) } : {};
  const options = { method, headers: { ...Object.fromEntries(new Headers(headers)), ...length } };
  return url.protocol === "https:" ? overHttps(url, options) : overHttp(url, options);
}

/** Of a response what is read of it: its head, and a body that is read once, as text or piece by piece. */
class LeanResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly headers = new Headers();
  readonly url: string;
  readonly body: Readable;

  constructor(message: IncomingMessage, url: string) {
    this.status = message.statusCode ?? 502;
    this.ok = this.status >= 200 && this.status < 300;
    this.url = url;
    const { rawHeaders } = message;
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      this.headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
    }
    this.body = decoded(message, this.headers.get("content-encoding"));
  }

  async text(): Promise<string> {
    const pieces: Buffer[] = [];
    for await (const piece of this.body) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}

function responseOf(message: IncomingMessage, url: string): Response {
  // It breaks where nobody reads any more, too; whoever reads is told.
  message.on("error", () => {});
  // The SDK looks at nothing else of a response.
  return new LeanResponse(message, url) as unknown as Response;
}

const decoders: Readonly<Record<string, () => NodeJS.ReadWriteStream>> = Object.assign(Object.create(null), {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
});

/** Nobody asked for it, yet some gateways compress what they like. Of several in a row none is understood. */
function decoded(message: IncomingMessage, encoding: string | null): Readable {
  const name = (encoding ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "") return message;
  const decoder = decoders[name]?.();
  if (!decoder) return message.destroy(new Error(`the answer is encoded as ${name}, which nobody asked for`));
  // Whoever reads is told of what breaks.
  return pipeline(message, decoder, () => {}) as unknown as Readable;
}
