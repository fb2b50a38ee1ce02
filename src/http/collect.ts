import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { collectionOrder, collectionReport } from "../protocol/collection.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import type { HttpEnv } from "./exchange.ts";
import { jsonBody } from "./json-body.ts";
import type { HttpLimits } from "./limits.ts";
import { noQuery, problems, secured } from "./route.ts";

/** Clearing away what nobody needs; without a word to the contrary it only says what that would be. */
export function addCollect(
  app: OpenAPIHono<HttpEnv>,
  { coordinator, limits }: { coordinator: Coordinator; limits: HttpLimits },
): void {
  app.openapi(collectRoute(limits), async (c) => c.json(await coordinator.collect(c.req.valid("json")), 200));
}

const collectRoute = (limits: HttpLimits) =>
  createRoute({
    method: "post",
    path: "/v1/gc",
    operationId: "collectGarbage",
    tags: ["Server"],
    summary: "Clear away what nobody needs any more",
    description:
      "Left workspaces (their work is kept as patches first), checkouts, refs, objects and artifacts, and jobs that neither `keep_ms` nor `keep_jobs` keeps; without both, every job is kept. What a job at work needs is never touched. Answers when it is done, which may take minutes.",
    security: secured("admin"),
    middleware: [needs("admin"), noQuery, answersWith("application/json"), jsonBody(limits)],
    request: {
      body: {
        required: true,
        content: { "application/json": { schema: collectionOrder.meta({ id: "CollectionOrder" }) } },
      },
    },
    responses: {
      200: {
        description: "What has gone, or would",
        content: { "application/json": { schema: collectionReport.meta({ id: "CollectionReport" }) } },
      },
      ...problems(400, 401, 403, 406, 408, 413, 415, 503),
    },
  });
