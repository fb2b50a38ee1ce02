import type { ToolServer } from "../protocol/job.ts";
import type { WrittenServer, WrittenServers } from "../protocol/job-file-server.ts";
import { reachOf } from "./resolve-reach.ts";

/** The servers of tools that a job names. Nothing is asked of them here. */
export function resolveServers(written: WrittenServers = {}): ToolServer[] {
  return Object.entries(written).map(([name, server]) => serverOf(name, server));
}

function serverOf(name: string, { run = [], url, headers = {}, ...reach }: WrittenServer): ToolServer {
  if (url === undefined) return { kind: "command", name, run: [...run], ...reachOf(reach) };
  const secrets = Object.entries(headers).map(([header, { secret }]) => [header, secret]);
  return { kind: "url", name, url, ...(secrets.length > 0 ? { secret_headers: Object.fromEntries(secrets) } : {}) };
}
