import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { Fault } from "../protocol/failure.ts";
import { taskId } from "../protocol/ids.ts";
import type { JobView } from "../protocol/job-view.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import { refusalOf } from "./problem.ts";
import { jobParameter, noQuery, notFoundIn, pageOf, problems, secured, shapes, wholePage } from "./route.ts";

/** What a job is made of and what it made: its tasks, its trace, its result as a patch or as a git bundle. */
export function addJobParts(app: OpenAPIHono<HttpEnv>, { coordinator }: { coordinator: Coordinator }): void {
  app.openapi(tasksRoute, async (c) => {
    const { id } = c.req.valid("param");
    const job = await coordinator.job(id);
    if (!job) return refuse(c, notFoundIn("job", id));
    return c.json(wholePage(await coordinator.tasks(job.id)), 200);
  });
  app.openapi(traceRoute, async (c) => {
    const { id } = c.req.valid("param");
    const job = await coordinator.job(id);
    if (!job) return refuse(c, notFoundIn("job", id));
    return c.json({ trace_id: job.trace_id, spans: await coordinator.trace(job.id) }, 200);
  });
  app.openapi(patchRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { task } = c.req.valid("query");
    const job = await coordinator.job(id);
    if (!job) return refuse(c, notFoundIn("job", id));
    if (task !== undefined && !taskId.safeParse(task).success) return refuse(c, unknownTask(task));
    const name = `${job.handle}${task === undefined ? "" : `-${task}`}.patch`;
    return answerFile(c, { type: "text/x-patch", name, make: () => coordinator.patch(job.id, { task }) });
  });
  app.openapi(bundleRoute, async (c) => {
    const { id } = c.req.valid("param");
    const job: JobView | undefined = await coordinator.job(id);
    if (!job) return refuse(c, notFoundIn("job", id));
    const make = () => coordinator.bundle(job.id);
    return answerFile(c, { type: "application/x-git-bundle", name: `${job.handle}.bundle`, make });
  });
}

function unknownTask(task: string) {
  return { code: "unknown_task", detail: `the job has no task ${JSON.stringify(task.slice(0, 100))}` };
}

interface FileAnswer {
  type: string;
  name: string;
  make(): Promise<Uint8Array>;
}

/** What is not there, since nothing landed or not yet, is no mistake of the request: there is nothing at that address. */
async function answerFile(c: Context<HttpEnv>, { type, name, make }: FileAnswer): Promise<Response> {
  try {
    const bytes = await make();
    const head = { "content-type": type, "content-disposition": `attachment; filename="${name}"` };
    return c.body(new Uint8Array(bytes), 200, head);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "usage")
      return refuse(c, { ...refusalOf(thrown, c.env.exchange), status: 404 });
    throw thrown;
  }
}

const read = { security: secured("read"), request: { params: jobParameter } };
const json = [needs("read"), noQuery, answersWith("application/json")];
const bytes = z.string().openapi({ type: "string", format: "binary" });

const tasksRoute = createRoute({
  ...read,
  method: "get",
  path: "/v1/jobs/{id}/tasks",
  operationId: "listTasks",
  tags: ["Jobs"],
  summary: "List a job's tasks, in their order",
  description: "All of them, on one page.",
  middleware: json,
  responses: {
    200: { description: "The tasks", content: { "application/json": { schema: pageOf(shapes.task) } } },
    ...problems(400, 401, 403, 404, 406),
  },
});

const traceRoute = createRoute({
  ...read,
  method: "get",
  path: "/v1/jobs/{id}/trace",
  operationId: "showTrace",
  tags: ["Jobs"],
  summary: "The spans of a job's trace, by start",
  middleware: json,
  responses: {
    200: {
      description: "The trace; `dur_ns` is null on a span that is still open",
      content: { "application/json": { schema: z.object({ trace_id: z.string(), spans: z.array(shapes.span) }) } },
    },
    ...problems(400, 401, 403, 404, 406),
  },
});

const patchRoute = createRoute({
  method: "get",
  path: "/v1/jobs/{id}/patch",
  operationId: "getPatch",
  tags: ["Jobs"],
  summary: "The job's result, or one task's own work, as a patch",
  security: secured("read"),
  middleware: [needs("read"), answersWith("text/x-patch")],
  request: {
    params: jobParameter,
    query: z.strictObject({
      task: z.string().max(100).optional().meta({ description: "a task's id: what it did, landed or not" }),
    }),
  },
  responses: {
    200: { description: "For `git apply`", content: { "text/x-patch": { schema: bytes } } },
    ...problems(400, 401, 403, 404, 406),
  },
});

const bundleRoute = createRoute({
  ...read,
  method: "get",
  path: "/v1/jobs/{id}/bundle",
  operationId: "getBundle",
  tags: ["Jobs"],
  summary: "The job's result as a git bundle",
  description: "The commits since the base, with the one ref `refs/sheaf/ID/result`; for `git fetch`.",
  middleware: [needs("read"), noQuery, answersWith("application/x-git-bundle")],
  responses: {
    200: { description: "A git bundle", content: { "application/x-git-bundle": { schema: bytes } } },
    ...problems(400, 401, 403, 404, 406),
  },
});
