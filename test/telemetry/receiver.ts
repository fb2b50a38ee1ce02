import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import { MockOtlpServer, normalizeTrace } from "@elastic/mockotlpserver";
import { z } from "zod";
import { openExport } from "../../src/telemetry/open-export.ts";
import { parseOtlpSettings } from "../../src/telemetry/otlp-settings.ts";

const attributes = z.record(z.string(), z.unknown()).default({});

const receivedSpan = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.string(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes,
  events: z.array(z.object({ name: z.string(), timeUnixNano: z.string(), attributes })).default([]),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
  status: z.object({ code: z.string().optional(), message: z.string().optional() }).optional(),
});
export type ReceivedSpan = z.infer<typeof receivedSpan>;

const request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ scope: z.object({ name: z.string() }), spans: z.array(receivedSpan) })),
    }),
  ),
});

export interface Receiver {
  url: string;
  spans: ReceivedSpan[];
  resources: Record<string, unknown>[];
  /** Resolves once this many spans have come in. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * An OTLP receiver that shares no code with our exporter. It announces requests process-wide, so one at a time; and
 * it answers a request before it has read it, so wait with `arrived`.
 */
export async function startReceiver(): Promise<Receiver> {
  const spans: ReceivedSpan[] = [];
  const resources: Record<string, unknown>[] = [];
  const waiting: { count: number; resolve(): void }[] = [];
  const problem = Promise.withResolvers<never>();
  problem.promise.catch(() => {});
  const server = new MockOtlpServer({
    logLevel: "fatal",
    services: ["http"],
    httpHostname: "127.0.0.1",
    httpPort: 0,
    onTrace(raw: unknown) {
      const parsed = request.safeParse(normalizeTrace(raw));
      if (!parsed.success) problem.reject(parsed.error);
      for (const { resource, scopeSpans } of parsed.data?.resourceSpans ?? []) {
        resources.push(resource.attributes);
        spans.push(...scopeSpans.flatMap((scope) => scope.spans));
      }
      for (const waiter of waiting.filter(({ count }) => spans.length >= count)) waiter.resolve();
    },
  });
  await server.start();
  return {
    url: String(server.httpUrl),
    spans,
    resources,
    arrived(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (spans.length >= count) resolve();
      else waiting.push({ count, resolve });
      return Promise.race([promise, problem.promise]);
    },
    close: () => server.close(),
  };
}

/** A collector that answers as it is told. */
export async function startCollector(answer: (response: ServerResponse) => void): Promise<Server & { url: string }> {
  const server = createServer((incoming, response) => {
    incoming.resume().on("end", () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { address, port } = server.address() as AddressInfo;
  if (!isIP(address)) throw new Error("the collector does not listen");
  return Object.assign(server, { url: `http://${address}:${port}` });
}

/** The hub's way out to that address. */
export async function exportTo(url: string, more: Record<string, string> = {}) {
  const settings = parseOtlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...more });
  if (!settings) throw new Error("nothing to export to");
  return openExport(settings, { version: "1.2.3", nodeId: "node-1" });
}
