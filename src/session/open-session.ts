import { setTimeout as wait } from "node:timers/promises";
import type { OpenOptions, Session } from "../cli/session.ts";
import { readOwner } from "../db/lock.ts";
import { Fault } from "../protocol/failure.ts";
import { readSettings } from "../settings.ts";
import type { SessionOrder } from "./own-session.ts";

/**
 * Whoever does the work: a server that was named, this process, or the one that holds the data folder already. A command
 * need not know which; it speaks with a coordinator.
 */
export async function openSession(order: SessionOrder): Promise<Session> {
  const { config, cwd, options } = order;
  const server = options.server ?? config.server;
  if (server !== undefined) return (await joining()).joinServer({ url: server, token: config.token });
  const variable = (name: string) => config.variable(name);
  const settings = await readSettings({ home: config.home, cwd, variable, ...settingsPlace(options) });
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const joined = config.databaseUrl || options.isOwnNeeded ? undefined : await joinHolder(order);
    if (joined) return joined;
    // Loaded only by whoever does the work: the store and everything that runs a job are below it.
    const { openOwnSession } = await import("./own-session.ts");
    const own = await openOwnSession(order, settings).catch((thrown: unknown) => {
      if (!isLocked(thrown) || performance.now() > deadline) throw thrown;
      return undefined;
    });
    if (own) return own;
    await wait(lookMs);
  }
}

/** Most commands hold the folder for a second or two, and are not worth speaking with. */
const patienceMs = 30_000;
const lookMs = 50;

async function joinHolder(order: SessionOrder): Promise<Session | undefined> {
  const socket = readOwner(order.config.home)?.socket;
  return socket === undefined ? undefined : (await joining()).joinSocket(socket, () => openSession(order));
}

/** Loaded only by whoever asks another process. */
function joining() {
  return import("./join-session.ts");
}

function isLocked(thrown: unknown): boolean {
  return thrown instanceof Fault && thrown.code === "locked";
}

function settingsPlace({ settingsFile, repository }: OpenOptions) {
  return { ...(settingsFile === undefined ? {} : { file: settingsFile }), ...(repository ? { repository } : {}) };
}
