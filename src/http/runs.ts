import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import { noQuery, notFoundIn, position, problems, runParameter, secured, shapes } from "./route.ts";

type EventShape = z.infer<typeof shapes.event>;

/** Runs, and each one's own log. */
export function addRuns(app: OpenAPIHono<HttpEnv>, { coordinator }: { coordinator: Coordinator }): void {
  app.openapi(showRoute, async (c) => {
    const { id } = c.req.valid("param");
    const run = await coordinator.run(id);
    return run ? c.json(run, 200) : refuse(c, notFoundIn("run", id));
  });
  app.openapi(eventsRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { after } = c.req.valid("query");
    const run = await coordinator.run(id);
    if (!run) return refuse(c, notFoundIn("run", id));
    const data: EventShape[] = await coordinator.runEvents(run.id, after);
    const last = data.at(-1)?.seq ?? after;
    return c.json({ data, next_after: last, has_more: data.length > 0 && last < run.events }, 200);
  });
}

const showRoute = createRoute({
  method: "get",
  path: "/v1/runs/{id}",
  operationId: "showRun",
  tags: ["Runs"],
  summary: "Look at a run",
  security: secured("read"),
  middleware: [needs("read"), noQuery, answersWith("application/json")],
  request: { params: runParameter },
  responses: {
    200: { description: "The run", content: { "application/json": { schema: shapes.run } } },
    ...problems(400, 401, 403, 404, 406),
  },
});

const eventsRoute = createRoute({
  method: "get",
  path: "/v1/runs/{id}/events",
  operationId: "listRunEvents",
  tags: ["Runs"],
  summary: "A run's own log, oldest first",
  description: "At most 500 events; ask again with `after` = `next_after` while `has_more`.",
  security: secured("read"),
  middleware: [needs("read"), answersWith("application/json")],
  request: { params: runParameter, query: z.strictObject({ after: position("seq").default(0) }) },
  responses: {
    200: {
      description: "Some of the log",
      content: {
        "application/json": {
          schema: z.object({ data: z.array(shapes.event), next_after: z.int(), has_more: z.boolean() }),
        },
      },
    },
    ...problems(400, 401, 403, 404, 406),
  },
});
