import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { OtlpSettings } from "./otlp-settings.ts";
import { SpanFeed } from "./span-feed.ts";

export interface OtlpOptions {
  /** Of this Sheaf, and of this process among its like. */
  identity: { version: string; nodeId: string };
  warn(message: string): void;
}

type ExporterConfig = NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>;

/**
 * The OTLP exporter, from explicit settings. Only open-export.ts imports this file, when there is something to
 * export: its packages cost 110 ms of CPU to load.
 *
 * The exporter still looks into the environment by itself for what cannot be turned off: the OTEL_EXPORTER_OTLP_*
 * HEADERS, below ours, and the certificate files (CERTIFICATE, CLIENT_CERTIFICATE, CLIENT_KEY), which we leave to it.
 * Endpoint, timeout and compression are always ours. Nothing here reads OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME,
 * OTEL_BSP_* or OTEL_SPAN_* again: no detector runs, and the batch processor takes its numbers from us.
 */
export function createOtlpFeed(settings: OtlpSettings, { identity, warn }: OtlpOptions): SpanFeed {
  const exporter = new OTLPTraceExporter({
    url: settings.url,
    headers: { ...settings.headers },
    timeoutMillis: settings.timeoutMs,
    // The package's enum of just these two strings cannot be imported from a package we depend on.
    compression: settings.compression as NonNullable<ExporterConfig["compression"]>,
  });
  const resource = resourceFromAttributes({
    ...settings.resource,
    "service.version": identity.version,
    "service.instance.id": identity.nodeId,
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.name": "opentelemetry",
  });
  const { scheduleDelayMs } = settings;
  return new SpanFeed({ exporter, resource, version: identity.version, scheduleDelayMs }, warn);
}
