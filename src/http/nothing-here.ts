import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type HttpEnv, refuse } from "./exchange.ts";

/** Answers what no route took: an address that is none, a method that is not for this one, or OPTIONS. */
export function nothingHere(app: OpenAPIHono<HttpEnv>) {
  const addresses = new Map<string, Set<string>>();
  for (const { method, path } of app.routes) {
    if (method === "ALL") continue;
    const methods = addresses.get(path) ?? new Set(["OPTIONS"]);
    addresses.set(path, methods.add(method));
    if (method === "GET") methods.add("HEAD");
  }
  const known = [...addresses].map(([path, methods]) => ({ path: expressionOf(path), methods: [...methods].sort() }));
  return (c: Context<HttpEnv>): Response => {
    const found = known.find(({ path }) => path.test(c.req.path));
    if (!found)
      return refuse(c, { code: "not_found", detail: "there is nothing at this address", remedy: inReference });
    const allow = found.methods.join(", ");
    if (c.req.method === "OPTIONS") return c.body(null, 204, { allow });
    return refuse(c, {
      code: "method_not_allowed",
      detail: `${c.req.method.slice(0, 20)} is not for this address`,
      remedy: `it takes ${allow}`,
      headers: { allow },
    });
  };
}

const inReference = "the reference page (/docs) lists every address";

/** `/v1/jobs/:id` as an expression of paths. */
function expressionOf(path: string): RegExp {
  const parts = path
    .split("/")
    .map((part) => (part.startsWith(":") ? "[^/]+" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return new RegExp(`^${parts.join("/")}$`);
}
