import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Coordinator } from "../coordinator/coordinator.ts";
import type { Log } from "../log/log.ts";
import { answersWith } from "./accept.ts";
import { needs } from "./authenticate.ts";
import { EventFeeds } from "./event-feeds.ts";
import { streamEvents, streamHead } from "./event-stream.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import type { HttpLimits } from "./limits.ts";
import type { Refusal } from "./problem.ts";
import { jobParameter, notFoundIn, position, problems, secured } from "./route.ts";

/** A job's events as they are stored, for readers who may go and come back where they were. */
export interface EventRoutes {
  coordinator: Coordinator;
  limits: HttpLimits;
  log: Log;
  /** Aborts when the server stops: all streams end then. */
  stop: AbortSignal;
}

export function addEvents(app: OpenAPIHono<HttpEnv>, { coordinator, limits, log, stop }: EventRoutes): void {
  const feeds = new EventFeeds(coordinator);
  app.openapi(route, async (c) => {
    const { id } = c.req.valid("param");
    const job = await coordinator.job(id);
    if (!job) return refuse(c, notFoundIn("job", id));
    // A reader who comes back has its place in the header; the address still names the one it first asked for.
    const after = c.req.valid("header")["Last-Event-ID"] ?? c.req.valid("query").after;
    if (after > job.events) return refuse(c, notReached(after));
    if (job.state === "finished" && after === job.events) return c.body(null, 204);
    if (c.req.method === "HEAD") return c.body(null, 200, streamHead);
    const crowd = tooMany(feeds.readers(job.id), limits);
    if (crowd) return refuse(c, crowd);
    const { feed, [Symbol.dispose]: leave } = feeds.enter(job.id);
    const { heartbeatMs, stallMs } = limits;
    const { isStillWelcome: isWelcome = async () => true } = c.env.exchange;
    c.env.exchange.writeItself = (outgoing) => {
      streamEvents(outgoing, { feed, after, heartbeatMs, stallMs, isWelcome, stop })
        .catch((thrown: unknown) => log.error("a stream of events broke off", { job: job.id, error: thrown }))
        .finally(leave);
    };
    return c.body(null, 200, streamHead);
  });
}

function tooMany(open: { all: number; ofJob: number }, { streams, streamsPerJob }: HttpLimits): Refusal | undefined {
  if (open.all < streams && open.ofJob < streamsPerJob) return undefined;
  const [most, whose] = open.all < streams ? [streamsPerJob, "this job"] : [streams, "this server"];
  return {
    code: "too_many_streams",
    detail: `${most} readers follow events of ${whose} already, and no more may`,
    remedy: "try again later, or read what is stored with GET /v1/runs/{id}/events",
    headers: { "retry-after": "10" },
  };
}

function notReached(after: number) {
  return {
    code: "invalid",
    detail: `the job has no event ${after}, so it cannot be carried on from there`,
    remedy: "leave Last-Event-ID and `after` away to get all events",
    errors: [{ place: "Last-Event-ID", message: "past the end of the job's events" }],
  };
}

const route = createRoute({
  method: "get",
  path: "/v1/jobs/{id}/events",
  operationId: "followJob",
  tags: ["Jobs"],
  summary: "Follow a job's events",
  description:
    "Server-sent events: `id` is the event's place among the job's events, from 1 without gaps; `event` its type; `data` the event as JSON. What is stored comes first, then what happens as it happens; the stream ends after `job.finished`. A reader that comes back with `Last-Event-ID` carries on after it, and gets 204 when there is nothing more. A comment is sent every 15 seconds; a reader that takes nothing for a minute is dropped, and so is one whose token has ended or lost its scope.",
  security: secured("read"),
  middleware: [needs("read"), answersWith("text/event-stream")],
  request: {
    params: jobParameter,
    query: z.strictObject({ after: position("place").default(0) }),
    headers: z.object({ "Last-Event-ID": position("place; goes before `after`").optional() }),
  },
  responses: {
    200: { description: "The events", content: { "text/event-stream": { schema: z.string() } } },
    204: { description: "The job is over, and there is nothing after that place" },
    ...problems(400, 401, 403, 404, 406, 429),
  },
});
