import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Tokens } from "../access/open-tokens.ts";
import { lifetimeMs, tokenName, tokenScopes, tokenView } from "../access/token.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import { jsonBody, optionalJsonBody } from "./json-body.ts";
import type { HttpLimits } from "./limits.ts";
import { noQuery, pageOf, problems, secured, wholePage } from "./route.ts";

/**
 * Tokens, managed from afar. A secret is answered once, by the call that made it; nobody gives away a scope that they
 * do not hold, and the last token that may do all is not taken out from here.
 */
export interface TokenRoutes {
  tokens: Tokens | undefined;
  limits: HttpLimits;
}

export function addTokens(app: OpenAPIHono<HttpEnv>, { tokens, limits }: TokenRoutes): void {
  app.openapi(listRoute, async (c) => {
    return tokens ? c.json(wholePage(await tokens.list()), 200) : refuse(c, notHere);
  });
  app.openapi(createTokenRoute(limits), async (c) => {
    const { name, scopes, expires_in } = c.req.valid("json");
    const held = c.env.exchange.caller?.scopes ?? [];
    const beyond = held.includes("admin") ? undefined : scopes.find((scope) => !held.includes(scope));
    if (beyond) return refuse(c, { code: "forbidden", detail: `your token has not the scope ${beyond} itself` });
    if (!tokens) return refuse(c, notHere);
    const made = await tokens.create({ name, scopes, expiresInMs: msOf(expires_in) });
    return "code" in made ? refuse(c, made) : c.json(made, 201);
  });
  app.openapi(rotateRoute(limits), async (c) => {
    const { name } = c.req.valid("param");
    if (!tokens) return refuse(c, notHere);
    const made = await tokens.rotate(name, msOf(c.req.valid("json")?.grace) ?? 0);
    return "code" in made ? refuse(c, made) : c.json(made, 200);
  });
  app.openapi(revokeRoute, async (c) => {
    const { name } = c.req.valid("param");
    if (!tokens) return refuse(c, notHere);
    const revoked = await tokens.revoke(name);
    return "code" in revoked ? refuse(c, revoked) : c.json(revoked, 200);
  });
}

const notHere = {
  code: "usage",
  detail: "this socket serves whoever owns the data folder, and knows no tokens",
  remedy: "use `sheaf token` there",
};

/** There is no token of that name, and none could have it. */
export const noSuchToken = (name: string) => ({
  code: "unknown_token",
  detail: `there is no token ${JSON.stringify(name.slice(0, 100))}`,
  remedy: "GET /v1/tokens names those there are",
});

/** Of a text that the schema let pass. */
function msOf(written: string | undefined): number | undefined {
  const read = written === undefined ? undefined : lifetimeMs(written);
  return read && "ms" in read ? read.ms : undefined;
}

function lifetime(description: string) {
  const checked = z.string().superRefine((text, context) => {
    const read = lifetimeMs(text);
    if ("reason" in read) context.addIssue({ code: "custom", message: read.reason });
  });
  return checked.optional().openapi({ type: "string", description, example: "30d" });
}

const token = tokenView.meta({ id: "Token", description: "who may ask for what; its secret is not part of it" });
const made = z
  .object({ token, secret: z.string().meta({ description: "for the Authorization header; shown this once" }) })
  .meta({ id: "MadeToken" });
const newToken = z
  .strictObject({
    name: tokenName.meta({ description: "the actor in the audit log; idempotency keys belong to it" }),
    scopes: tokenScopes.meta({ description: "none includes another, but admin may do whatever the others may" }),
    expires_in: lifetime("how long it lives, such as `30d`; default until it is revoked"),
  })
  .meta({ id: "NewToken" });
const rotation = z
  .strictObject({ grace: lifetime("how long the secret from before stays good; default not at all") })
  .meta({ id: "Rotation" });

const common = { tags: ["Tokens"], security: secured("admin") };
const named = z.object({ name: tokenName.meta({ description: "the token's name" }) });

const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/tokens",
  operationId: "listTokens",
  summary: "List tokens",
  description: "All of them, on one page, without their secrets.",
  middleware: [needs("admin"), noQuery, answersWith("application/json")],
  responses: {
    200: { description: "The tokens", content: { "application/json": { schema: pageOf(token) } } },
    ...problems(400, 401, 403, 406),
  },
});

const createTokenRoute = (limits: HttpLimits) =>
  createRoute({
    ...common,
    method: "post",
    path: "/v1/tokens",
    operationId: "createToken",
    summary: "Make a token",
    description: "Of no more scopes than the caller's own. The answer holds its secret, which is kept nowhere.",
    middleware: [needs("admin"), noQuery, answersWith("application/json"), jsonBody(limits)],
    request: { body: { required: true, content: { "application/json": { schema: newToken } } } },
    responses: {
      201: {
        description: "Made",
        content: { "application/json": { schema: made } },
      },
      ...problems(400, 401, 403, 406, 408, 409, 413, 415),
    },
  });

const rotateRoute = (limits: HttpLimits) =>
  createRoute({
    ...common,
    method: "post",
    path: "/v1/tokens/{name}/rotate",
    operationId: "rotateToken",
    summary: "Give a token a new secret",
    description:
      "The secret from before is good for the time of `grace`; without one, it and all earlier ones end at once.",
    middleware: [needs("admin"), noQuery, answersWith("application/json"), optionalJsonBody(limits)],
    request: { params: named, body: { required: false, content: { "application/json": { schema: rotation } } } },
    responses: {
      200: { description: "Rotated", content: { "application/json": { schema: made } } },
      ...problems(400, 401, 403, 404, 406, 408, 409, 413, 415),
    },
  });

const revokeRoute = createRoute({
  ...common,
  method: "delete",
  path: "/v1/tokens/{name}",
  operationId: "revokeToken",
  summary: "Revoke a token",
  description: "With all its secrets, at once. The last one with the scope admin stays: 409.",
  middleware: [needs("admin"), noQuery, answersWith("application/json")],
  request: { params: named },
  responses: {
    200: { description: "It was this one", content: { "application/json": { schema: token } } },
    ...problems(400, 401, 403, 404, 406, 409),
  },
});
