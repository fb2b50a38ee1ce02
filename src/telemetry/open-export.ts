import type { OtlpSettings } from "./otlp-settings.ts";
import type { SpanFeed } from "./span-feed.ts";

/** Opens the way out for finished spans; the hub calls it with its own `warn`. */
export type OpenFeed = (warn: (message: string) => void) => SpanFeed;

/** Loads the exporter, and with it OpenTelemetry, only now that something is to be exported. */
export async function openExport(
  settings: OtlpSettings,
  identity: { version: string; nodeId: string },
): Promise<OpenFeed> {
  const { createOtlpFeed } = await import("./otlp.ts");
  return (warn) => createOtlpFeed(settings, { identity, warn });
}
