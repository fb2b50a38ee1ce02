import { createMiddleware } from "hono/factory";
import { type HttpEnv, refuse } from "./exchange.ts";

/**
 * Answers only to names that are this server's. Without it a page of any site could have its own name resolve to this
 * machine (DNS rebinding) and speak as if it came from here; and pages of other sites get nothing whatever their name.
 */
export function onlyAllowedHosts(hosts: readonly string[]) {
  const own = new Set(hosts.map((host) => host.toLowerCase()));
  return createMiddleware<HttpEnv>(async (c, next) => {
    // An absolute request target goes before the header; both have to be ours.
    const names = [c.req.header("host") ?? "", new URL(c.req.url).host];
    const stranger = names.find((name) => !isOwn(name, own));
    if (stranger !== undefined) {
      return refuse(c, {
        code: "host_not_allowed",
        detail: `the request is for the host ${JSON.stringify(stranger.slice(0, 200))}`,
        remedy: "use localhost or 127.0.0.1, or have the operator add the name to server.hosts",
      });
    }
    const origin = c.req.header("origin");
    if (origin !== undefined && !isSameOrigin(origin, names)) {
      return refuse(c, {
        code: "origin_not_allowed",
        detail: `the request comes from a page of ${JSON.stringify(origin.slice(0, 200))}`,
        remedy: "ask from a program, not from a page of another site",
      });
    }
    return next();
  });
}

/** `name` is a Host header. An operator's name without a port stands for any port. */
function isOwn(name: string, own: ReadonlySet<string>): boolean {
  const [, host] = /^(\[[0-9a-f:.]+\]|[^:[\]@/\\]+)(?::\d{1,5})?$/i.exec(name) ?? [];
  if (host === undefined) return false;
  const plain = host.toLowerCase().replace(/\.$/, "");
  return isLoopback(plain) || own.has(plain) || own.has(name.toLowerCase());
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(host);
}

/** The scheme is not compared: a proxy in front may speak TLS. */
function isSameOrigin(origin: string, names: readonly string[]): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  return /^https?:$/.test(protocol) && names.some((name) => name.toLowerCase() === host);
}
