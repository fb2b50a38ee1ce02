import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { steered, steering } from "../protocol/steer.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import { jsonBody } from "./json-body.ts";
import type { HttpLimits } from "./limits.ts";
import { jobParameter, noQuery, notFoundIn, problems, secured } from "./route.ts";

/** Words to the agents of a running job. */
export function addSteer(
  app: OpenAPIHono<HttpEnv>,
  { coordinator, limits }: { coordinator: Coordinator; limits: HttpLimits },
): void {
  app.openapi(steerRoute(limits), async (c) => {
    const { id } = c.req.valid("param");
    const said = c.req.valid("json");
    const job = await coordinator.job(id);
    if (!job) return refuse(c, notFoundIn("job", id));
    const { task } = said;
    const tasks = task === undefined ? [] : await coordinator.tasks(job.id);
    if (tasks.length > 0 && !tasks.some((each) => each.id === task)) {
      const detail = `the job has no task ${JSON.stringify(task?.slice(0, 100))}`;
      return refuse(c, { code: "unknown_task", detail, remedy: `GET /v1/jobs/${job.id}/tasks lists them` });
    }
    return c.json(await coordinator.steer(job.id, said), 202);
  });
}

const steerRoute = (limits: HttpLimits) =>
  createRoute({
    method: "post",
    path: "/v1/jobs/{id}/steer",
    operationId: "steerJob",
    tags: ["Jobs"],
    summary: "Say something to a job's agents",
    description:
      "Each agent reads it with its next model request, marked as coming from the operator; one of a task that has yet to begin, when it does. Recipes and commands read nothing. Refused with 409 when the job or the task is over.",
    security: secured("run"),
    middleware: [needs("run"), noQuery, answersWith("application/json"), jsonBody(limits)],
    request: {
      params: jobParameter,
      body: { required: true, content: { "application/json": { schema: steering.meta({ id: "Steering" }) } } },
    },
    responses: {
      202: {
        description: "It is kept for the tasks that are named",
        content: { "application/json": { schema: steered.meta({ id: "Steered" }) } },
      },
      ...problems(400, 401, 403, 404, 406, 408, 409, 413, 415),
    },
  });
