import { httpInstrumentationMiddleware } from "@hono/otel";
import type { MiddlewareHandler } from "hono";
import type { Clock } from "../protocol/ids.ts";
import type { SpanEnd } from "../protocol/span.ts";
import { createRequestTracer } from "../telemetry/request-tracer.ts";
import type { HttpEnv } from "./exchange.ts";

/**
 * A span for each request, which continues its caller's trace. A job that a request makes does not hang below it: the
 * job's parent is the caller itself, so that its trace is whole wherever this span goes.
 */
export function traced({ onSpan, clock }: { onSpan(span: SpanEnd): void; clock: Clock }): MiddlewareHandler<HttpEnv> {
  const { tracer, current } = createRequestTracer(onSpan, clock);
  const instrument = httpInstrumentationMiddleware({ tracer, captureActiveRequests: false });
  return (c, next) =>
    instrument(c, async () => {
      const ids = current();
      if (ids) c.env.exchange.span = ids;
      await next();
    });
}
