import { join } from "node:path";
import { openTokens } from "../access/open-tokens.ts";
import type { Serving, Session } from "../cli/session.ts";
import type { Terminal } from "../cli/terminal.ts";
import { systemClock as clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Coordinator } from "../coordinator/coordinator.ts";
import type { Equipment } from "../coordinator/equipment.ts";
import { troubleOf } from "../coordinator/room.ts";
import { takeRequest } from "../coordinator/take-request.ts";
import type { AuditLog } from "../db/audit.ts";
import { createApp, type HttpApp } from "../http/app.ts";
import { listen, openServer } from "../http/listen.ts";
import { type Log, type LogLevel, silentLog } from "../log/log.ts";
import { logJob } from "../log/log-job.ts";
import { openLog } from "../log/open-log.ts";
import { Fault } from "../protocol/failure.ts";
import { isAllowedUrl } from "../settings/allowed-url.ts";
import type { Settings } from "../settings.ts";
import type { Door } from "./serve-socket.ts";

/** The server's app over a coordinator of this process, behind a port or behind the door of the data folder. */
export interface AppOrder {
  coordinator: Coordinator;
  equipment: Equipment;
  audit: AuditLog;
  settings: Settings;
  home: string;
  /** Of this Sheaf. */
  version: string;
  log?: Log;
  /** Names this server goes by besides those of the settings. */
  names?: readonly string[];
}

/** For whoever can open the data folder's socket: no tokens, and any repository of this user's. */
export function openDoor(order: AppOrder): Door {
  const app = appOf(order, undefined);
  const server = openServer(app, true);
  // It gets its connections by hand; with this it watches over them as if it had listened itself.
  server.emit("listening");
  const leave = () => {
    app.drain();
    app.endStreams();
  };
  return { server, leave };
}

/** For everybody with a token. Tokens are made at the first start. */
export async function openPort(
  { own }: Session,
  place: { host: string; port: number; logLevel?: LogLevel | undefined },
  { config, terminal, version }: { config: Config; terminal: Terminal; version: string },
): Promise<Serving> {
  if (!own) throw new Fault("internal", "only the process that does the work can serve it");
  const { redact } = own.equipment;
  const { format, level } = own.settings.log;
  const write = (line: string) => terminal.draw(line);
  const log = openLog({ format, level: place.logLevel ?? level, redact, now: clock.now, write });
  own.equipment.listeners?.add(logJob(log));
  const tokens = await openTokens(config.home, { clock, log });
  // Whoever listens on one address by name means to be called by it; every address is not a name.
  const named = ["0.0.0.0", "::"].includes(place.host) ? [] : [place.host];
  const app = appOf({ ...own, home: config.home, version, log, names: named }, tokens);
  const listening = await listen(app, place);
  return { ...listening, drain: () => app.drain() };
}

function appOf(order: AppOrder, tokens: Awaited<ReturnType<typeof openTokens>> | undefined): HttpApp {
  const { coordinator, equipment, settings, home, version, log = silentLog } = order;
  const { roots, urls, hosts } = settings.server;
  const rulesFor = ({ isTrusted }: { isTrusted: boolean }) => ({
    isTrusted,
    roots,
    isAllowedUrl: (url: string) => isAllowedUrl(url, urls),
  });
  return createApp({
    coordinator,
    take: (request, caller) => takeRequest(request, rulesFor(caller), equipment),
    async retake(id, asked, caller) {
      const { retakeJob } = await import("../coordinator/retry.ts");
      return retakeJob(id, asked, { rules: rulesFor(caller), ...equipment });
    },
    tokens,
    audit: order.audit,
    hosts: [...hosts, ...(order.names ?? [])],
    bundles: join(home, "bundles"),
    limits: {
      bodyBytes: settings.server.maxBodyBytes,
      bundleBytes: settings.server.maxBundleBytes,
      connections: settings.server.maxConnections,
      bodyMs: settings.server.requestTimeoutMs,
    },
    trouble: () => troubleOf(equipment),
    clock,
    log,
    version,
    onSpan: equipment.hub.exportSpan,
  });
}
