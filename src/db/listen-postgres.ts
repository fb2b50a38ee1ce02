import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";

const pauseMs = 1_000;

/**
 * Listens on a connection of its own, which no statement ever waits for. While there is none it tries again each second;
 * nobody may rely on hearing, only hear sooner.
 */
export async function listenPostgres(
  url: string,
  channel: string,
  heard: (payload: string) => void,
): Promise<() => Promise<void>> {
  const stop = new AbortController();
  const listening = keepListening(url, { channel, heard, signal: stop.signal });
  return async () => {
    stop.abort();
    await listening;
  };
}

interface Listening {
  channel: string;
  heard: (payload: string) => void;
  signal: AbortSignal;
}

async function keepListening(url: string, listening: Listening): Promise<void> {
  while (!listening.signal.aborted) {
    await listenOnce(url, listening).catch(() => {});
    await sleep(pauseMs, undefined, { signal: listening.signal }).catch(() => {});
  }
}

/** Ends when the connection does, or is not wanted any more. */
async function listenOnce(url: string, { channel, heard, signal }: Listening): Promise<void> {
  const client = new Client({
    connectionString: url,
    application_name: "sheaf",
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const stop = () => end();
  client.on("error", stop);
  client.on("end", stop);
  signal.addEventListener("abort", stop);
  client.on("notification", ({ payload }) => heard(payload ?? ""));
  try {
    await client.connect();
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    heard("");
    await ended;
  } finally {
    signal.removeEventListener("abort", stop);
    await client.end().catch(() => {});
  }
}
