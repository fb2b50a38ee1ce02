import { createMiddleware } from "hono/factory";
import type { Tokens } from "../access/open-tokens.ts";
import { operatorName, type Scope } from "../access/token.ts";
import { type HttpEnv, refuse } from "./exchange.ts";

/**
 * Learns who asks, and refuses nobody yet. A bearer token in the header and nothing else: never in an address, a cookie
 * or a body. The socket in the data folder needs none, since only the operator can open it.
 */
export function identify(tokens: Tokens | undefined) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const { exchange, incoming } = c.env;
    if (exchange.isTrusted) exchange.caller = { name: operatorName, scopes: ["admin"], isTrusted: true };
    else {
      const secret = secretIn(incoming.headersDistinct.authorization ?? []);
      const token = secret === undefined ? undefined : await tokens?.find(secret);
      if (token) {
        exchange.caller = { ...token, isTrusted: false };
        exchange.isStillWelcome = async () => {
          const { scopes } = (await tokens?.find(secret ?? "")) ?? {};
          return scopes !== undefined && (exchange.needed === undefined || mayDo(scopes, exchange.needed));
        };
      }
    }
    return next();
  });
}

/** Lets on only who is known. */
export function authenticate() {
  return createMiddleware<HttpEnv>(async (c, next) => {
    if (c.env.exchange.caller) return next();
    return refuse(c, unauthorized(c.req.header("authorization") !== undefined));
  });
}

/** Two headers are none: whoever stands before this server may have looked at the other one. */
function secretIn([given = "", ...more]: string[]): string | undefined {
  if (more.length > 0) return undefined;
  return /^bearer +([A-Za-z0-9._~+/-]{1,512}=*) *$/i.exec(given)?.[1];
}

/** Lets on only whose token has the scope. */
export function needs(scope: Scope) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const { exchange } = c.env;
    exchange.needed = scope;
    const held = exchange.caller?.scopes ?? [];
    if (mayDo(held, scope)) return next();
    return refuse(c, {
      code: "forbidden",
      detail: `this needs a token with the scope ${scope}; yours has ${held.join(", ") || "none"}`,
      remedy: "ask whoever runs the server for such a token (tokens.json of its data folder)",
      headers: { "www-authenticate": `Bearer realm="sheaf", error="insufficient_scope", scope="${scope}"` },
    });
  });
}

function mayDo(held: readonly Scope[], scope: Scope): boolean {
  return held.includes(scope) || held.includes("admin");
}

function unauthorized(isGiven: boolean) {
  return {
    code: "unauthorized",
    detail: isGiven
      ? "the Authorization header holds no token of this server"
      : "the request has no Authorization header",
    remedy: "send `Authorization: Bearer TOKEN`; the first token is in the file `token` of the server's data folder",
    // RFC 6750, 3: no error code where no token was sent.
    headers: { "www-authenticate": `Bearer realm="sheaf"${isGiven ? ', error="invalid_token"' : ""}` },
  };
}
