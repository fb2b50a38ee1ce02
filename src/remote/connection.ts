import { createReadStream } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { Fault, type FaultCode, faultExits } from "../protocol/failure.ts";

/** One server, over its socket or its address. What it refuses comes back as the Fault it was there. */
export interface Connection {
  /** What to call it in a message: an address, or the data folder. */
  readonly name: string;
  /** The answer's body, parsed. Throws the server's Fault, or `provider_unavailable` when it does not answer. */
  json<S extends z.ZodType>(order: Order, shape: S): Promise<z.infer<S>>;
  bytes(order: Order): Promise<Uint8Array>;
  /** The answer as it comes; undefined where the server says that there is nothing more (204). */
  stream(order: Order): Promise<IncomingMessage | undefined>;
  close(): void;
}

export interface Order {
  method?: "GET" | "POST" | "PUT";
  path: string;
  body?: unknown;
  /** A file sent as the body. */
  file?: string;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
}

export type Server = { socket: string } | { url: string; token: string | undefined };

export function connect(server: Server): Connection {
  const { name, client, base, agent } = placeOf(server);
  const send = (order: Order) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const request = client.request({
        ...base,
        agent,
        method: order.method ?? "GET",
        path: order.path,
        headers: headersOf(order, server),
        ...(order.signal ? { signal: order.signal } : {}),
      });
      request.on("response", resolve);
      request.on("error", (cause) => reject(order.signal?.aborted ? order.signal.reason : silent(name, cause)));
      if (order.file === undefined) request.end(order.body === undefined ? undefined : JSON.stringify(order.body));
      // The answer, or the error, says why the rest was not taken.
      else pipeline(createReadStream(order.file), request).catch(() => {});
    });
  const answer = async (order: Order) => {
    const incoming = await send(order);
    const status = incoming.statusCode ?? 0;
    if (status < 300) return incoming;
    throw refusal(name, status, await collect(incoming, name));
  };
  return {
    name,
    async json(order, shape) {
      const bytes = await collect(await answer(order), name);
      const parsed = shape.safeParse(parseJson(bytes));
      if (parsed.success) return parsed.data;
      throw new Fault("provider_unavailable", `${name} answered ${order.path} with what this version cannot read`, {
        remedy: "use the same version of Sheaf here and there",
        cause: parsed.error,
      });
    },
    bytes: async (order) => collect(await answer(order), name),
    async stream(order) {
      const incoming = await answer(order);
      if (incoming.statusCode !== 204) return incoming;
      incoming.resume();
      return undefined;
    },
    close: () => agent.destroy(),
  };
}

function placeOf(server: Server) {
  if ("socket" in server) {
    const base = { socketPath: server.socket, headers: { host: "localhost" } };
    return {
      name: "the Sheaf that holds the data folder",
      client: http,
      base,
      agent: new http.Agent({ keepAlive: true }),
    };
  }
  const url = addressOf(server.url);
  const isSecure = url.protocol === "https:";
  const base = { protocol: url.protocol, hostname: url.hostname.replace(/^\[|\]$/g, ""), port: url.port || undefined };
  const client = isSecure ? https : http;
  return { name: url.origin, client, base, agent: new client.Agent({ keepAlive: true }) };
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && /^https?:$/.test(url.protocol) && url.pathname === "/" && !url.search && !url.username;
  if (url && isPlain) return url;
  throw new Fault("usage", `${JSON.stringify(text.replace(/\/\/[^@/]*@/, "//"))} is no address of a server`, {
    remedy: "write one such as https://sheaf.example.com or http://localhost:7420; the token is SHEAF_TOKEN",
  });
}

function headersOf({ body, file, headers }: Order, server: Server): Record<string, string> {
  const token = "url" in server ? server.token : undefined;
  return {
    ...("socket" in server ? { host: "localhost" } : {}),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(file === undefined ? {} : { "content-type": "application/x-git-bundle" }),
    ...headers,
  };
}

async function collect(incoming: IncomingMessage, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch (cause) {
    throw silent(name, cause);
  }
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function silent(name: string, cause: unknown): Fault {
  const why =
    cause instanceof Error ? cause.message || ("code" in cause ? String(cause.code) : cause.name) : String(cause);
  return new Fault("provider_unavailable", `${name} does not answer: ${why}`, {
    remedy: "check the address, and that `sheaf serve` runs there",
    cause,
  });
}

const problem = z.object({ code: z.string(), detail: z.string(), remedy: z.string().optional(), status: z.number() });

function refusal(name: string, status: number, bytes: Buffer): Fault {
  const parsed = problem.safeParse(parseJson(bytes));
  if (!parsed.success) return new Fault("provider_unavailable", `${name} answered ${status}`);
  const { code, detail, remedy } = parsed.data;
  return new Fault(codeOf(code, status), detail, remedy === undefined ? {} : { remedy });
}

/** The server's own codes, as what they mean for whoever asked from the command line. */
function codeOf(code: string, status: number): FaultCode {
  if (Object.hasOwn(faultExits, code)) return code as FaultCode;
  if (status === 401 || status === 403) return "credentials";
  if (status === 503 || status === 408) return "provider_unavailable";
  return status >= 500 ? "internal" : "usage";
}
