import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Coordinator } from "../coordinator/coordinator.ts";
import type { Clock } from "../protocol/ids.ts";
import { answersWith } from "./accept.ts";
import { type HttpEnv, refuse } from "./exchange.ts";
import { noQuery, problems } from "./route.ts";

/** Whether the process lives, and whether it can do its work: what whoever watches over it asks, without a token. */
export interface HealthRoutes {
  coordinator: Pick<Coordinator, "jobs">;
  clock: Clock;
  isDraining(): boolean;
}

export function addHealth(app: OpenAPIHono<HttpEnv>, { coordinator, clock, isDraining }: HealthRoutes): void {
  const asked = once(() => answersInTime(coordinator), clock);
  app.openapi(healthRoute, (c) => c.json({ status: "alive" as const }, 200));
  app.openapi(readyRoute, async (c) => {
    if (isDraining()) return refuse(c, { code: "draining", detail: "the server is stopping" });
    if (await asked()) return c.json({ status: "ready" as const }, 200);
    return refuse(c, {
      code: "not_ready",
      detail: "the database does not answer",
      remedy: "the server's log says why",
    });
  });
}

/** Anybody may ask, and as often as they like: the database is asked once a second. */
function once(ask: () => Promise<boolean>, clock: Clock): () => Promise<boolean> {
  let last: { at: number; answer: Promise<boolean> } | undefined;
  return () => {
    const now = clock.now();
    if (!last || Math.abs(now - last.at) > 1_000) last = { at: now, answer: ask() };
    return last.answer;
  };
}

const patienceMs = 3_000;

async function answersInTime(coordinator: Pick<Coordinator, "jobs">): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), patienceMs);
  const answer = coordinator.jobs({ limit: 1 }).then(
    () => true,
    () => false,
  );
  const isThere = await Promise.race([answer, late.promise]);
  clearTimeout(timer);
  return isThere;
}

const state = (status: "alive" | "ready") => ({
  200: { description: "Yes", content: { "application/json": { schema: z.object({ status: z.literal(status) }) } } },
});
const open = { security: [], middleware: [noQuery, answersWith("application/json")] };

const healthRoute = createRoute({
  ...open,
  method: "get",
  path: "/healthz",
  operationId: "isAlive",
  tags: ["Server"],
  summary: "Whether the process lives",
  responses: { ...state("alive"), ...problems(400, 406) },
});

const readyRoute = createRoute({
  ...open,
  method: "get",
  path: "/readyz",
  operationId: "isReady",
  tags: ["Server"],
  summary: "Whether the server takes work: the database answers, and it is not stopping",
  responses: { ...state("ready"), ...problems(400, 406, 503) },
});
