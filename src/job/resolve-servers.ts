import type { ToolServer } from "../protocol/job.ts";
import type { WrittenServer, WrittenServers } from "../protocol/job-file-server.ts";
import { reachOf } from "./resolve-reach.ts";

/** The servers of tools that a job names. Nothing is asked of them here. */
export function resolveServers(written: WrittenServers = {}): ToolServer[] {
  return Object.entries(written).map(([name, server]) => serverOf(name, server));
}

function serverOf(name: string, { run = [], url, headers = {}, repeatable, ...reach }: WrittenServer): ToolServer {
  const again = repeatable ? { repeatable } : {};
  if (url === undefined) return { kind: "command", name, run: [...run], ...reachOf(reach), ...again };
  const secrets = Object.entries(headers).map(([header, { secret }]) => [header, secret]);
  const hidden = secrets.length > 0 ? { secret_headers: Object.fromEntries(secrets) } : {};
  return { kind: "url", name, url, ...again, ...hidden };
}
