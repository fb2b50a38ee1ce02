import { z } from "@hono/zod-openapi";
import { createMiddleware } from "hono/factory";
import type { Scope } from "../access/token.ts";
import { jobView, runView, taskView } from "../protocol/job-view.ts";
import { result } from "../protocol/result.ts";
import { storedSpan } from "../protocol/span.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import { problem } from "./problem.ts";

/** What the routes have in common: the shapes they answer with, under one name each, and the ways they can fail. */

export const shapes = {
  job: jobView
    .extend({ result: result.meta({ id: "Result", description: "a `sheaf.result/v1` document" }).optional() })
    .meta({ id: "Job" }),
  task: taskView.meta({ id: "Task", description: "one scoped piece of a job" }),
  run: runView.meta({ id: "Run", description: "one attempt of a task's step by an agent" }),
  span: storedSpan.meta({ id: "Span", description: "a span of the job's trace; times are nanoseconds since 1970" }),
  event: z
    .looseObject({
      type: z.string().meta({ description: "such as `run.started`; which there are is told in the reference" }),
      data: z.record(z.string(), z.unknown()),
      run_id: z.uuid(),
      seq: z.int().min(1).meta({ description: "its place in its run's log, without gaps" }),
      id: z.uuid(),
      at: z.number().meta({ description: "milliseconds since 1970" }),
      span_id: z.string().optional(),
    })
    .meta({ id: "Event", description: "an immutable fact in a run's log" }),
};

/** A page of a list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().meta({ description: "for `cursor`, to get the next page" }),
    has_more: z.boolean(),
  });
}

/** A whole list as one page. */
export function wholePage<T>(data: T[]): { data: T[]; next_cursor: null; has_more: false } {
  return { data, next_cursor: null, has_more: false };
}

const problemContent = { "application/problem+json": { schema: problem } };
const descriptions = {
  400: "The request is not well formed",
  401: "There is no valid token",
  403: "The token lacks the scope",
  404: "There is no such thing",
  406: "The client does not take what this answers with",
  408: "The body took too long to arrive",
  409: "Not in the state things are in",
  413: "The body is too large",
  415: "The body has the wrong type",
  422: "It cannot be carried out as it is asked for",
  429: "As many of that kind are open as may be",
  503: "The server cannot do that now",
} as const;
type Described = keyof typeof descriptions;

/** The problems a route is known for, and any other that may come: to the compiler they are all the same. */
export function problems(...statuses: Described[]): {
  default: { description: string; content: typeof problemContent };
} {
  const each = statuses.map((status) => [status, { description: descriptions[status], content: problemContent }]);
  return { ...Object.fromEntries(each), default: { description: "Any other problem", content: problemContent } };
}

/** The scope a route needs, as OpenAPI says it. */
export const secured = (scope: Scope) => [{ bearer: [scope] }];

/** What a job may be called in an address: its id, its handle, or `last`. */
const jobReference = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const jobParameter = z.object({
  id: z
    .string()
    .regex(jobReference)
    .meta({ description: "the job's id, its handle (`name-7`), or `last`: the newest", example: "last" }),
});
export const runParameter = z.object({ id: z.string().regex(uuid).meta({ description: "the run's id" }) });

/** A place in a log, as it stands in an address or a header: 0 is before the first. */
export function position(name: string) {
  return z
    .string()
    .regex(/^(?:0|[1-9]\d{0,14})$/, "a whole number, 0 or more")
    .transform(Number)
    .openapi({
      type: "integer",
      minimum: 0,
      maximum: 999_999_999_999_999,
      description: `only events after this ${name}`,
    });
}

/** There is no job or run of that name. */
export const notFoundIn = (what: "job" | "run", name: string) => ({
  code: what === "job" ? "unknown_job" : "unknown_run",
  detail: `there is no ${what} ${JSON.stringify(name.slice(0, 100))}`,
  remedy: what === "job" ? "GET /v1/jobs lists them" : "the events of a job name its runs (run_id)",
});

/** Parameters nobody asked about are mistakes, not decoration. */
export const noQuery = createMiddleware<HttpEnv>(async (c, next) => {
  const [name] = Object.keys(c.req.query());
  if (name === undefined) return next();
  const errors = [{ place: `query.${name.slice(0, 100)}`, message: "there is no such parameter" }];
  return refuse(c, { code: "invalid", detail: "this address takes no query", remedy: "leave it away", errors });
});
