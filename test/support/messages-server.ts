import { once } from "node:events";
import { createServer } from "node:http";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Behave } from "./messages/reply.ts";
import { type ServerOptions, stateOf, take } from "./messages/take.ts";
import type { Logged, Total } from "./messages/tally.ts";

/**
 * A server that speaks the Anthropic Messages API and refuses what the real one refuses. It thinks nothing: a function
 * says each answer. What it counts is the truth that a test compares with what a client says it used.
 * `node test/support/messages-server.ts PORT [--behave MODULE] [--rate PER_MINUTE] [--least-tokens N]` is one in a
 * process of its own, whose MODULE exports `behave`.
 */
export interface MessagesServer extends AsyncDisposable {
  /** Without `/v1`. */
  url: string;
  /** The key it takes. */
  key: string;
  /** In the order in which they ended. */
  logged: Logged[];
  total(): Total;
  /** Requests under way. */
  readonly open: number;
  readonly mostOpen: number;
}

export async function openMessagesServer(options: ServerOptions): Promise<MessagesServer> {
  const state = stateOf(options);
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    state.open += 1;
    state.mostOpen = Math.max(state.mostOpen, state.open);
    response.on("close", () => {
      state.open -= 1;
    });
    void take(request, response, state).catch(() => response.destroy());
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    key: state.key,
    logged: state.logged,
    total: () => ({ ...state.total }),
    get open() {
      return state.open;
    },
    get mostOpen() {
      return state.mostOpen;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values, positionals } = parseArgs({
    options: {
      behave: { type: "string" },
      rate: { type: "string" },
      burst: { type: "string" },
      "least-tokens": { type: "string" },
    },
    allowPositionals: true,
  });
  const behave: Behave = values.behave
    ? (await import(pathToFileURL(resolve(values.behave)).href)).behave
    : () => ({ say: "Done." });
  const server = await openMessagesServer({
    ...{ behave, keep: "sums", port: Number(positionals[0] ?? 0) },
    ...(values.rate
      ? { rate: { perMinute: Number(values.rate), ...(values.burst ? { burst: Number(values.burst) } : {}) } }
      : {}),
    ...(values["least-tokens"] ? { leastTokens: Number(values["least-tokens"]) } : {}),
  });
  console.log(server.url);
}
