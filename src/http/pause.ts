import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import { jobParameter, noQuery, notFoundIn, problems, secured, shapes } from "./route.ts";

/** A job is laid aside for a while, and goes on where it was. */
export function addPause(app: OpenAPIHono<HttpEnv>, { coordinator }: { coordinator: Coordinator }): void {
  for (const verb of ["pause", "resume"] as const) {
    app.openapi(routes[verb], async (c) => {
      const { id } = c.req.valid("param");
      const job = await coordinator.job(id);
      if (!job) return refuse(c, notFoundIn("job", id));
      await coordinator[verb](job.id);
      return c.json((await coordinator.job(job.id)) ?? job, 202);
    });
  }
}

const described = {
  pause: {
    operationId: "pauseJob",
    summary: "Lay a job aside",
    description:
      "No new task, step or model call is begun; what is under way comes to the end of its turn or step. `at_rest` is `pausing` until then, and `paused` from then on, over restarts too; the job's time does not run meanwhile. 409 when the job is over.",
  },
  resume: {
    operationId: "resumeJob",
    summary: "Go on with a paused job",
    description: "It goes on where it was. 409 when the job is over, or was not paused.",
  },
} as const;

const routeOf = (verb: keyof typeof described) =>
  createRoute({
    method: "post",
    path: `/v1/jobs/{id}/${verb}`,
    ...described[verb],
    tags: ["Jobs"],
    security: secured("run"),
    middleware: [needs("run"), noQuery, answersWith("application/json")] as const,
    request: { params: jobParameter },
    responses: {
      202: { description: "It is asked to", content: { "application/json": { schema: shapes.job } } },
      ...problems(400, 401, 403, 404, 406, 409),
    },
  });

const routes = { pause: routeOf("pause"), resume: routeOf("resume") };
