import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** A server on loopback that answers each request as the test writes it, byte by byte where it matters. */
export interface RawServer extends AsyncDisposable {
  /** Without a slash at its end. */
  url: string;
  requests: RawRequest[];
  /** Connections that were made, and those that are gone. */
  opened: number;
  closed: number;
  /** Resolves when so many connections are gone. */
  allClosed(): Promise<void>;
}

export interface RawRequest {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: Record<string, unknown>;
}

export type Answer = (response: ServerResponse, request: RawRequest) => void | Promise<void>;

/** The n-th request gets the n-th answer, and those after the last one the last. */
export async function openRawServer(...answers: Answer[]): Promise<RawServer> {
  const requests: RawRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const { method = "", url = "", headers } = request;
    const taken = { method, path: url, headers, body: text === "" ? {} : JSON.parse(text) };
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(taken);
    await answer?.(response, taken);
  });
  const gone: (() => void)[] = [];
  const raw = { opened: 0, closed: 0 };
  server.on("connection", (socket) => {
    raw.opened++;
    socket.on("close", () => {
      raw.closed++;
      for (const look of gone) look();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get opened() {
      return raw.opened;
    },
    get closed() {
      return raw.closed;
    },
    allClosed: () =>
      new Promise((resolve) => {
        const look = () => raw.closed >= raw.opened && resolve();
        gone.push(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Server-sent events of these objects, each named by its type. */
export function sse(...events: ({ type: string } & Record<string, unknown>)[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
}

/** A whole stream in one piece. */
export function streamed(...events: Parameters<typeof sse>): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "request-id": "req_1" });
    response.end(sse(...events));
  };
}

export function answered(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}
