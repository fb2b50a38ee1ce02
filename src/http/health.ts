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
  /** The code of what keeps it from working for now. */
  trouble(): Promise<string | undefined>;
}

export function addHealth(app: OpenAPIHono<HttpEnv>, order: HealthRoutes): void {
  const asked = once(() => stateOf(order), order.clock);
  app.openapi(healthRoute, (c) => c.json({ status: "alive" as const }, 200));
  app.openapi(readyRoute, async (c) => {
    if (order.isDraining()) return refuse(c, { code: "draining", detail: "the server is stopping" });
    const detail = await asked();
    if (detail === undefined) return c.json({ status: "ready" as const }, 200);
    return refuse(c, { code: "not_ready", detail, remedy: "the server's log says why" });
  });
}

/** What is in the way, in words for anybody; undefined while nothing is. */
async function stateOf({ coordinator, trouble }: HealthRoutes): Promise<string | undefined> {
  const [isThere, code] = await Promise.all([answersInTime(coordinator), trouble()]);
  if (code === "storage_full") return "a disk is full: work waits, and no new job is taken";
  return isThere && code === undefined ? undefined : "the database does not answer: work waits";
}

/** Anybody may ask, and as often as they like: the database is asked once a second. */
function once<T>(ask: () => Promise<T>, clock: Clock): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | undefined;
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
  summary: "Whether the server takes work: the database answers, no disk is full, and it is not stopping",
  responses: { ...state("ready"), ...problems(400, 406, 503) },
});
