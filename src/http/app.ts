import { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler, ValidationTargets } from "hono";
import type { ZodError } from "zod";
import type { Tokens } from "../access/open-tokens.ts";
import type { Coordinator, JobOrder } from "../coordinator/coordinator.ts";
import type { AuditLog } from "../db/audit.ts";
import type { Log } from "../log/log.ts";
import type { Clock } from "../protocol/ids.ts";
import type { JobRequest } from "../protocol/job-request.ts";
import type { SpanEnd } from "../protocol/span.ts";
import { onlyAllowedHosts } from "./allowed-host.ts";
import { addApprovals } from "./approvals.ts";
import { addAudit } from "./audit.ts";
import { authenticate, identify } from "./authenticate.ts";
import { addBundles } from "./bundles.ts";
import { addCollect } from "./collect.ts";
import { addEvents } from "./events.ts";
import { type Caller, type HttpEnv, refuse, refuseThrown } from "./exchange.ts";
import { addExplain } from "./explain.ts";
import { addHealth } from "./health.ts";
import { addJobParts } from "./job-parts.ts";
import { addJobs } from "./jobs.ts";
import { defaultLimits, type HttpLimits } from "./limits.ts";
import { onlyMetExpectations } from "./met-expectations.ts";
import { nothingHere } from "./nothing-here.ts";
import { addPause } from "./pause.ts";
import type { Refusal } from "./problem.ts";
import { recordCalls } from "./record-calls.ts";
import { addReference } from "./reference.ts";
import { addRetry, type RetryRoutes } from "./retry.ts";
import { notFoundIn } from "./route.ts";
import { addRuns } from "./runs.ts";
import { schemaRefusal } from "./schema-refusal.ts";
import { addSteer } from "./steer.ts";
import { addTokens, noSuchToken } from "./tokens.ts";
import { traced } from "./traced.ts";

/**
 * The server as a function of requests. It decides who may ask for what, and translates; what is asked is done by the
 * coordinator. listen.ts opens it to a port or a socket.
 */
export interface HttpOrder {
  coordinator: Coordinator;
  /**
   * Makes an order of a request: reads the job, opens its repository. Throws Fault for what cannot be or what this
   * caller may not name; only a trusted one may name any path.
   */
  take(request: JobRequest, caller: Caller): Promise<JobOrder>;
  /** Makes one of a job that is over. Throws Fault for what this caller may not name. */
  retake: RetryRoutes["retake"];
  /** Absent: nobody gets in but over the trusted socket. */
  tokens?: Tokens | undefined;
  /** Where every call that asks for a change is written down before it is carried out. */
  audit: AuditLog;
  /** Names this server goes by beside those of loopback (`server.hosts`), with or without a port. */
  hosts: readonly string[];
  /** The folder for what comes to /v1/bundles, under their SHA256. */
  bundles: string;
  limits?: Partial<HttpLimits> | undefined;
  /** The code of what keeps this process from working for now. */
  trouble?: () => Promise<string | undefined>;
  clock: Clock;
  log: Log;
  /** Of this Sheaf. */
  version: string;
  /** Where the span of each request goes when it ends; absent, none is recorded. */
  onSpan?: ((span: SpanEnd) => void) | undefined;
}

export interface HttpApp {
  fetch(request: Request, env: HttpEnv["Bindings"]): Promise<Response>;
  readonly limits: HttpLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** From now on no job is taken. */
  drain(): void;
  /** Streams of events end now, whether or not their job has. */
  endStreams(): void;
}

export function createApp(order: HttpOrder): HttpApp {
  const { coordinator, take, retake, tokens, clock, log } = order;
  const limits = { ...defaultLimits, ...order.limits };
  const stop = new AbortController();
  let isDrained = false;
  const isDraining = () => isDrained;
  const app = new OpenAPIHono<HttpEnv>({
    defaultHook: (result, c) => (result.success ? undefined : refuse(c, misfit(c.req.path, result))),
  });
  if (order.onSpan) app.use(traced({ onSpan: order.onSpan, clock }));
  app.use(identify(tokens), recordCalls({ audit: order.audit, clock, log }), onlyMetExpectations);
  app.use(exceptFor(["/healthz", "/readyz"], onlyAllowedHosts(order.hosts)));
  app.use("/v1/*", exceptOptions(authenticate()));
  addHealth(app, { coordinator, clock, isDraining, trouble: order.trouble ?? (async () => undefined) });
  addJobs(app, { coordinator, take, limits, isDraining });
  addPause(app, { coordinator });
  addRetry(app, { coordinator, retake, limits, isDraining });
  addSteer(app, { coordinator, limits });
  addJobParts(app, { coordinator });
  addExplain(app, { coordinator });
  addEvents(app, { coordinator, limits, log, stop: stop.signal });
  addRuns(app, { coordinator });
  addApprovals(app, { coordinator, limits });
  addBundles(app, { bundles: order.bundles, limits, clock });
  addTokens(app, { tokens, limits });
  addCollect(app, { coordinator, limits });
  addAudit(app, { audit: order.audit });
  addReference(app, { version: order.version });
  app.notFound(nothingHere(app));
  app.onError((thrown, c) => refuseThrown(c, thrown));
  return {
    fetch: async (request, env) => app.fetch(request, env),
    limits,
    clock,
    log,
    drain() {
      isDrained = true;
    },
    endStreams: () => stop.abort(),
  };
}

/** A name that nothing can have is the name of nothing. */
function misfit(path: string, { target, error }: { target: keyof ValidationTargets; error: ZodError }): Refusal {
  const [, kind, name = ""] = /^\/v1\/(job|run|token)s\/([^/]*)/.exec(path) ?? [];
  if (target === "param" && kind === "token") return noSuchToken(name);
  if (target === "param" && (kind === "job" || kind === "run")) return notFoundIn(kind, name);
  return schemaRefusal(target, error);
}

/** A machine that watches over the server asks by whatever address it knows, and learns nothing a page could use. */
function exceptFor(paths: readonly string[], check: MiddlewareHandler<HttpEnv>): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    if (c.env.exchange.isTrusted || paths.includes(c.req.path)) return next();
    return check(c, next);
  };
}

/** Which methods there are is no secret. */
function exceptOptions(check: MiddlewareHandler<HttpEnv>): MiddlewareHandler<HttpEnv> {
  return async (c, next) => (c.req.method === "OPTIONS" ? next() : check(c, next));
}
