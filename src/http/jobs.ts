import { createHash } from "node:crypto";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Coordinator, JobOrder } from "../coordinator/coordinator.ts";
import { type JobRequest, jobRequest } from "../protocol/job-request.ts";
import type { JobView } from "../protocol/job-view.ts";
import { parseTraceparent } from "../telemetry/traceparent.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { cursorQuery, fromCursor, toCursor } from "./cursor.ts";
import { type Caller, type HttpEnv, refuse } from "./exchange.ts";
import { jsonBody } from "./json-body.ts";
import type { HttpLimits } from "./limits.ts";
import { jobParameter, noQuery, notFoundIn, pageOf, problems, secured, shapes } from "./route.ts";

export interface JobRoutes {
  coordinator: Coordinator;
  /** Reads the job and opens its repository; refuses by a Fault what this caller may not name. */
  take(request: JobRequest, caller: Caller): Promise<JobOrder>;
  limits: HttpLimits;
  /** The server takes no new work. */
  isDraining(): boolean;
}

/** Jobs: taken in, listed, looked at, cancelled. */
export function addJobs(app: OpenAPIHono<HttpEnv>, routes: JobRoutes): void {
  const { coordinator, limits } = routes;
  app.openapi(submitRoute(limits), async (c) => {
    if (routes.isDraining()) return refuse(c, draining);
    const { caller } = c.env.exchange;
    const request = c.req.valid("json");
    const key = c.req.valid("header")["Idempotency-Key"];
    if (!caller) return refuse(c, { code: "internal", detail: "nobody asked for this job" });
    const order = await routes.take(request, caller);
    const sha256 = createHash("sha256").update(JSON.stringify(request)).digest("hex");
    const job = await coordinator.submit({
      ...order,
      traceparent: callersTrace(c) ?? order.traceparent,
      // Two callers who hit upon the same key mean two jobs.
      idempotency: key === undefined ? order.idempotency : { key: `${caller.name}/${key}`, sha256 },
    });
    // How it ends is in its log; nobody waits for it here.
    job.done.catch(() => {});
    const view = await coordinator.job(job.id);
    if (!view) return refuse(c, notFoundIn("job", job.id));
    return c.json(view, 202, { location: `/v1/jobs/${job.id}` });
  });
  app.openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const place = cursor === undefined ? { after: undefined } : fromCursor(cursor);
    if ("refusal" in place) return refuse(c, place.refusal);
    const { jobs, next } = await coordinator.jobs({ limit, after: place.after });
    const nextCursor = next === undefined ? null : toCursor(next);
    return c.json({ data: jobs, next_cursor: nextCursor, has_more: next !== undefined }, 200);
  });
  app.openapi(showRoute, async (c) => {
    const { id } = c.req.valid("param");
    const job = await coordinator.job(id);
    return job ? c.json(job, 200) : refuse(c, notFoundIn("job", id));
  });
  app.openapi(cancelRoute, async (c) => {
    const { id } = c.req.valid("param");
    const job = await coordinator.job(id);
    if (!job) return refuse(c, notFoundIn("job", id));
    await coordinator.cancel(job.id);
    const view: JobView = (await coordinator.job(job.id)) ?? job;
    return c.json(view, 202);
  });
}

/** To whoever asks for a job when none is taken. */
export const draining = {
  code: "draining",
  detail: "the server takes no new jobs: it is stopping",
  remedy: "send it again to the server that comes after; with an Idempotency-Key it is never taken twice",
  headers: { "retry-after": "5" },
};

/** A caller's trace goes on in the job; a header that is not well formed is as good as none. */
function callersTrace(c: Context<HttpEnv>): string | undefined {
  const header = c.req.header("traceparent");
  return header !== undefined && parseTraceparent(header) ? header : undefined;
}

const submitRoute = (limits: HttpLimits) =>
  createRoute({
    method: "post",
    path: "/v1/jobs",
    operationId: "submitJob",
    tags: ["Jobs"],
    summary: "Take in a job",
    description:
      "Starts the job and answers at once. A request that is sent again with the same Idempotency-Key and the same body is answered with the job it had made, running or not; a `traceparent` header makes the job part of the caller's trace.",
    security: secured("run"),
    middleware: [needs("run"), noQuery, answersWith("application/json"), jsonBody(limits)],
    request: {
      headers: z.object({
        "Idempotency-Key": z
          .string()
          .regex(/^[\x21-\x7e]{1,200}$/, "1 to 200 characters of visible ASCII")
          .optional()
          .meta({ description: "names this request: sent twice, it makes one job" }),
      }),
      body: { required: true, content: { "application/json": { schema: jobRequest.meta({ id: "JobRequest" }) } } },
    },
    responses: {
      202: {
        description: "Taken in",
        headers: { Location: { description: "the job's address", schema: { type: "string" } } },
        content: { "application/json": { schema: shapes.job } },
      },
      ...problems(400, 401, 403, 406, 408, 409, 413, 415, 422, 503),
    },
  });

const listRoute = createRoute({
  method: "get",
  path: "/v1/jobs",
  operationId: "listJobs",
  tags: ["Jobs"],
  summary: "List jobs, newest first",
  security: secured("read"),
  middleware: [needs("read"), answersWith("application/json")],
  request: {
    query: cursorQuery("jobs"),
  },
  responses: {
    200: { description: "One page", content: { "application/json": { schema: pageOf(shapes.job) } } },
    ...problems(400, 401, 403, 406),
  },
});

const showRoute = createRoute({
  method: "get",
  path: "/v1/jobs/{id}",
  operationId: "showJob",
  tags: ["Jobs"],
  summary: "Look at a job",
  description: "`result` is there once the job has finished.",
  security: secured("read"),
  middleware: [needs("read"), noQuery, answersWith("application/json")],
  request: { params: jobParameter },
  responses: {
    200: { description: "The job", content: { "application/json": { schema: shapes.job } } },
    ...problems(400, 401, 403, 404, 406),
  },
});

const cancelRoute = createRoute({
  method: "post",
  path: "/v1/jobs/{id}/cancel",
  operationId: "cancelJob",
  tags: ["Jobs"],
  summary: "Cancel a job",
  description:
    "Keeps what is finished; the job ends `cancelled`. One that nobody works on has ended when this answers. Nothing happens to one that has ended.",
  security: secured("run"),
  middleware: [needs("run"), noQuery, answersWith("application/json")],
  request: { params: jobParameter },
  responses: {
    202: { description: "It is asked to stop, or had ended", content: { "application/json": { schema: shapes.job } } },
    ...problems(400, 401, 403, 404, 406),
  },
});
