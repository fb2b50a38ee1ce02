import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Coordinator, JobOrder } from "../coordinator/coordinator.ts";
import type { JobId } from "../protocol/ids.ts";
import { type Retrying, retrying } from "../protocol/retry.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { type Caller, type HttpEnv, refuse } from "./exchange.ts";
import { draining } from "./jobs.ts";
import { jsonBody } from "./json-body.ts";
import type { HttpLimits } from "./limits.ts";
import { jobParameter, noQuery, notFoundIn, problems, secured, shapes } from "./route.ts";

export interface RetryRoutes {
  coordinator: Coordinator;
  /** The same job once more; refuses by a Fault what this caller may not name. */
  retake(id: JobId, asked: Retrying, caller: Caller): Promise<JobOrder>;
  limits: HttpLimits;
  isDraining(): boolean;
}

/** A job that is over, once more. */
export function addRetry(app: OpenAPIHono<HttpEnv>, { coordinator, retake, limits, isDraining }: RetryRoutes): void {
  app.openapi(retryRoute(limits), async (c) => {
    if (isDraining()) return refuse(c, draining);
    const { id } = c.req.valid("param");
    const asked = c.req.valid("json");
    const { caller } = c.env.exchange;
    if (!caller) return refuse(c, { code: "internal", detail: "nobody asked for this job" });
    const job = await coordinator.job(id);
    if (!job) return refuse(c, notFoundIn("job", id));
    const submitted = await coordinator.submit(await retake(job.id, asked, caller));
    // How it ends is in its log; nobody waits for it here.
    submitted.done.catch(() => {});
    const view = await coordinator.job(submitted.id);
    if (!view) return refuse(c, notFoundIn("job", submitted.id));
    return c.json(view, 202, { location: `/v1/jobs/${submitted.id}` });
  });
}

const retryRoute = (limits: HttpLimits) =>
  createRoute({
    method: "post",
    path: "/v1/jobs/{id}/retry",
    operationId: "retryJob",
    tags: ["Jobs"],
    summary: "Do a job again",
    description:
      "Makes a new job of one that is over: the same specification, plan and base commit. Tasks that succeeded are reused, unless they are named in `tasks` or `fresh` is true. Refused with 409 while the job is not over.",
    security: secured("run"),
    middleware: [needs("run"), noQuery, answersWith("application/json"), jsonBody(limits)],
    request: {
      params: jobParameter,
      body: { required: true, content: { "application/json": { schema: retrying.meta({ id: "Retrying" }) } } },
    },
    responses: {
      202: {
        description: "The new job",
        headers: { Location: { description: "the job's address", schema: { type: "string" } } },
        content: { "application/json": { schema: shapes.job } },
      },
      ...problems(400, 401, 403, 404, 406, 408, 409, 413, 415, 422, 503),
    },
  });
