import type { IncomingMessage } from "node:http";
import { coversHost, readNetworkHost } from "../../protocol/network-host.ts";
import { visible } from "../../protocol/visible.ts";
import type { NetworkTarget } from "../driver.ts";

/** Where one request of a proxy's client wants to go, decided from its first line and its Host headers alone. Pure. */
export type Wanted = NetworkTarget & { path: string };
export interface Refused {
  status: 400 | 403;
  reason: string;
  /** As far as it was understood; both may say nothing. */
  host: string;
  port: number;
}

export interface JudgeOptions {
  targets: readonly NetworkTarget[];
  /** Where the connection leads already: a request in a tunnel cannot want anything else. */
  pinned?: NetworkTarget | undefined;
}

type Line = Pick<IncomingMessage, "method" | "url" | "rawHeaders">;

export function judgeRequest(request: Line, options: JudgeOptions): Wanted | Refused {
  const wanted = options.pinned ? inTunnel(request, options.pinned) : toProxy(request);
  if ("reason" in wanted) return wanted;
  if (valuesOf("transfer-encoding", request).some((coding) => coding.toLowerCase() !== "chunked")) {
    return malformed("a body comes with its length or in chunks", wanted);
  }
  const other = valuesOf("host", request).find((host) => !isSame(host, wanted, request));
  if (other === undefined) return judgeTarget(wanted, options.targets) ?? wanted;
  return malformed(`its Host header says ${shown(other)}, and its target is ${wanted.host}:${wanted.port}`, wanted);
}

/** A tunnel's Host may leave its port out, whatever that is. */
function isSame(written: string, { host, port }: NetworkTarget, { method }: Line): boolean {
  const named = readNetworkHost(written);
  if ("problem" in named || named.host !== host) return false;
  return named.port === undefined ? method === "CONNECT" || port === 80 : named.port === port;
}

function judgeTarget({ host, port }: NetworkTarget, targets: readonly NetworkTarget[]): Refused | undefined {
  if (targets.some((target) => target.port === port && coversHost(target.host, host))) return undefined;
  const entry = port === 443 ? host : `${host}:${port}`;
  const reason = `${host}:${port} is not among the hosts of this command; write network: ["${entry}"] in the job to allow it`;
  return { status: 403, reason, host, port };
}

function toProxy({ method, url = "" }: Line): Wanted | Refused {
  if (method === "CONNECT") return authority(url, undefined, "");
  const [, name, path = "/"] = /^http:\/\/([^/?#]*)([/?][^#]*)?$/i.exec(url) ?? [];
  if (name !== undefined) return authority(name, 80, path.startsWith("?") ? `/${path}` : path);
  return malformed(
    /^https:/i.test(url)
      ? "an https address is asked for with CONNECT"
      : "a proxy is asked with CONNECT or with a whole http:// address",
  );
}

function inTunnel({ method, url = "", rawHeaders }: Line, { host, port }: NetworkTarget): Wanted | Refused {
  if (method === "CONNECT") return malformed("a tunnel leads to one host, and cannot lead on", { host, port });
  if (valuesOf("host", { rawHeaders }).length !== 1) {
    return malformed("a request in a tunnel says its host, once", { host, port });
  }
  if (url.startsWith("/") && !url.includes("#")) return { host, port, path: url };
  const wanted = toProxy({ method, url, rawHeaders });
  if ("reason" in wanted) return { ...wanted, host, port };
  return wanted.host === host && wanted.port === port
    ? wanted
    : malformed(`it asks for ${wanted.host}:${wanted.port} in a tunnel to ${host}:${port}`, { host, port });
}

function authority(written: string, usual: number | undefined, path: string): Wanted | Refused {
  const read = written.includes("*") ? { problem: "a star is no host" } : readNetworkHost(written);
  if ("problem" in read) return malformed(`${shown(written)}: ${read.problem}`);
  const port = read.port ?? usual;
  return port === undefined ? malformed(`${shown(written)}: its port is missing`) : { host: read.host, port, path };
}

function malformed(reason: string, { host, port }: NetworkTarget = { host: "", port: 0 }): Refused {
  return { status: 400, reason, host, port };
}

function valuesOf(name: string, { rawHeaders }: Pick<Line, "rawHeaders">): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

function shown(text: string): string {
  return JSON.stringify(visible(text.slice(0, 200)));
}
