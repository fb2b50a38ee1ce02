import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { explanation } from "../protocol/explanation.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import { jobParameter, notFoundIn, pageOf, problems, secured, wholePage } from "./route.ts";

/** What would become of a call in a job, and why. It changes nothing, and asks nobody. */
export function addExplain(app: OpenAPIHono<HttpEnv>, { coordinator }: { coordinator: Coordinator }): void {
  app.openapi(explainRoute, async (c) => {
    const { id } = c.req.valid("param");
    const job = await coordinator.job(id);
    if (!job) return refuse(c, notFoundIn("job", id));
    return c.json(wholePage(await coordinator.explain(job.id, c.req.valid("query"))), 200);
  });
}

const shape = explanation.meta({ id: "Explanation", description: "a decision about a call, and who says what of it" });

const explainRoute = createRoute({
  method: "get",
  path: "/v1/jobs/{id}/explain",
  operationId: "explainCall",
  tags: ["Jobs"],
  summary: "Explain what would become of a call",
  description:
    "The decision that a run of the job would get, the rule, and where it came from. One answer where all tasks and agents agree, else one for each. A link is looked at only when a run meets it.",
  security: secured("read"),
  middleware: [needs("read"), answersWith("application/json")],
  request: {
    params: jobParameter,
    query: z.strictObject({
      // In an address each character may take three, and all headers of a request together 16 kB.
      call: z.string().min(1).max(5_000).meta({
        description: "`Bash(npm test)`, `Edit(src/a.ts)`, `WebFetch(domain:example.com)`, `mcp__server__tool`",
      }),
      task: z.string().max(100).optional().meta({ description: "a task's id" }),
      agent: z.string().max(1_000).optional().meta({ description: "an agent's name" }),
    }),
  },
  responses: {
    200: { description: "The answers", content: { "application/json": { schema: pageOf(shape) } } },
    ...problems(400, 401, 403, 404, 406),
  },
});
