import { createHash } from "node:crypto";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { scopes } from "../access/token.ts";
import type { HttpEnv } from "./exchange.ts";
import { renderReference } from "./reference-page.ts";
import { referenceStyle } from "./reference-style.ts";

/** The description of this server, made of the same schemas that judge its requests: for programs, and for people. */
export function addReference(app: OpenAPIHono<HttpEnv>, { version }: { version: string }): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: `A token of tokens.json in the server's data folder. Its scopes are some of ${scopes.join(", ")}; admin may do whatever the others may.`,
  });
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Sheaf",
      version,
      description:
        "Splits one large code change into scoped sub-agents and lands one verified tree. Every answer that is not a success is a problem (RFC 9457) with a stable `code` and, where there is one, a `remedy`.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/", description: "this server" }],
    tags: [
      { name: "Jobs", description: "What is asked for, what it does and what comes of it" },
      { name: "Runs", description: "One attempt each, with its own log" },
      { name: "Approvals", description: "Questions to people, and their answers" },
      { name: "Bundles", description: "Repositories that the server cannot fetch" },
      { name: "Tokens", description: "Who may ask this server for what" },
      { name: "Server", description: "Its health" },
    ],
  });
  const text = JSON.stringify(document);
  const page = renderReference(document);
  const hash = createHash("sha256").update(referenceStyle).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  app.get("/openapi.json", (c) => c.body(text, 200, { "content-type": "application/json" }));
  app.get("/docs", (c) =>
    c.body(page, 200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy }),
  );
}
