import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A receiver of webhooks: a real server that answers what a test says, and remembers what it got. */
export interface Receiver extends AsyncDisposable {
  url: string;
  got: Got[];
  /** Resolves when it has got so many. */
  count(wanted: number): Promise<void>;
}

export interface Got {
  headers: IncomingHttpHeaders;
  body: string;
  path: string;
}

/** `answer` gets each request's number, from 1. */
export async function openReceiver(answer: (number: number, response: ServerResponse) => void): Promise<Receiver> {
  const got: Got[] = [];
  const listeners = new Set<() => void>();
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request.setEncoding("utf8")) body += part;
    got.push({ headers: request.headers, body, path: request.url ?? "" });
    answer(got.length, response);
    for (const listener of listeners) listener();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook/in-the-path`,
    got,
    count: (wanted) =>
      new Promise((resolve) => {
        const look = () => {
          if (got.length < wanted) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export const answers =
  (...statuses: number[]) =>
  (number: number, response: ServerResponse) => {
    response.writeHead(statuses[Math.min(number, statuses.length) - 1] ?? 200).end("thank you");
  };
