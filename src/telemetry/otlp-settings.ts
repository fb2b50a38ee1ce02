import { Fault } from "../protocol/failure.ts";

/** Where and how spans are exported; parsed from the standard OTEL_* variables, which the caller read. */
export interface OtlpSettings {
  /** Complete, path included. */
  url: string;
  /** Their values are secrets: hand them to the redactor too. */
  headers: Readonly<Record<string, string>>;
  timeoutMs: number;
  compression: "none" | "gzip";
  /** OTEL_RESOURCE_ATTRIBUTES, with service.name always there. */
  resource: Readonly<Record<string, string>>;
  scheduleDelayMs: number;
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Undefined when nothing is to be exported: no endpoint, OTEL_SDK_DISABLED=true, or an OTEL_TRACES_EXPORTER other
 * than otlp. Throws Fault `configuration` on a value that cannot be followed. Samplers are not looked at: every job
 * is recorded as a whole.
 */
export function parseOtlpSettings(variables: Variables): OtlpSettings | undefined {
  const read = (name: string): string | undefined => variables[name]?.trim() || undefined;
  const exporters = (read("OTEL_TRACES_EXPORTER") ?? "otlp").split(",").map((name) => name.trim());
  if (read("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || !exporters.includes("otlp")) return undefined;
  const url = endpoint(read);
  if (url === undefined) return undefined;
  requireProtobuf(read);
  return {
    url,
    headers: { ...pairs("OTEL_EXPORTER_OTLP_HEADERS", read), ...pairs("OTEL_EXPORTER_OTLP_TRACES_HEADERS", read) },
    timeoutMs: milliseconds(["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"], read) ?? 10_000,
    compression: compression(read),
    resource: resource(read),
    scheduleDelayMs: milliseconds(["OTEL_BSP_SCHEDULE_DELAY"], read) ?? 5_000,
  };
}

type Read = (name: string) => string | undefined;

/** The signal's own endpoint is used as it is; the general one gets the signal's path (OTLP exporter specification). */
function endpoint(read: Read): string | undefined {
  const own = read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  if (own !== undefined) return httpUrl("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", own).href;
  const general = read("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (general === undefined) return undefined;
  const url = httpUrl("OTEL_EXPORTER_OTLP_ENDPOINT", general);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/traces`;
  return url.href;
}

function httpUrl(name: string, value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new Fault("configuration", `${name} is not an http or https URL`, {
    remedy: `set ${name} to something like http://localhost:4318`,
  });
}

function requireProtobuf(read: Read): void {
  const name = "OTEL_EXPORTER_OTLP_PROTOCOL";
  const protocol = read("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ?? read(name) ?? "http/protobuf";
  if (protocol === "http/protobuf") return;
  throw new Fault("configuration", `the OTLP protocol ${protocol} is not supported; http/protobuf is`, {
    remedy: `set ${name}=http/protobuf and the endpoint to the collector's HTTP port (usually 4318)`,
  });
}

function compression(read: Read): "none" | "gzip" {
  const name = "OTEL_EXPORTER_OTLP_COMPRESSION";
  const value = read("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION") ?? read(name) ?? "none";
  if (value === "none" || value === "gzip") return value;
  throw new Fault("configuration", `${name}=${value} is not supported`, { remedy: "use none or gzip" });
}

function milliseconds(names: readonly string[], read: Read): number | undefined {
  const name = names.find((candidate) => read(candidate) !== undefined);
  if (name === undefined) return undefined;
  const value = Number(read(name));
  if (Number.isFinite(value) && value > 0 && value <= 3_600_000) return value;
  throw new Fault("configuration", `${name}=${read(name)} is not a number of milliseconds`, {
    remedy: "use a positive number, up to one hour (3600000)",
  });
}

function resource(read: Read): Record<string, string> {
  const given = pairs("OTEL_RESOURCE_ATTRIBUTES", read);
  return { ...given, "service.name": read("OTEL_SERVICE_NAME") ?? given["service.name"] ?? "sheaf" };
}

/** `key=value,key=value`, values percent-encoded. The message of a refusal names no value: headers are secrets. */
function pairs(name: string, read: Read): Record<string, string> {
  const entries = (read(name) ?? "").split(",").filter((entry) => entry.trim() !== "");
  return Object.fromEntries(entries.map((entry, index) => pair(name, entry, index)));
}

function pair(name: string, entry: string, index: number): [string, string] {
  const at = entry.indexOf("=");
  const key = entry.slice(0, Math.max(0, at)).trim();
  const value = decoded(entry.slice(at + 1).trim());
  // What HTTP allows in a header's name and value; resource attributes have no reason to hold more.
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(key) && value !== undefined && isPrintable(value)) return [key, value];
  throw new Fault("configuration", `${name}: entry ${index + 1} is not key=value`, {
    remedy: `write ${name} as key=value,key=value with values percent-encoded`,
  });
}

function isPrintable(value: string): boolean {
  return !/\p{Cc}/u.test(value);
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
