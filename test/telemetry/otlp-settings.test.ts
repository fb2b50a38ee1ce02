import { expect, test } from "vitest";
import { Fault } from "../../src/protocol/failure.ts";
import { parseOtlpSettings } from "../../src/telemetry/otlp-settings.ts";
import { scene } from "./fakes.ts";
import { exportTo, startCollector } from "./receiver.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

test.each([
  ["no variable", {}],
  ["an empty endpoint", { OTEL_EXPORTER_OTLP_ENDPOINT: " " }],
  ["the SDK disabled", { ...endpoint, OTEL_SDK_DISABLED: "TRUE" }],
  ["traces to nowhere", { ...endpoint, OTEL_TRACES_EXPORTER: "none" }],
  ["a protocol for nothing", { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }],
])("%s exports nothing", (_, variables) => {
  expect(parseOtlpSettings(variables)).toBeUndefined();
});

test("an endpoint alone gets the path of traces and the defaults of the specification", () => {
  expect(parseOtlpSettings(endpoint)).toEqual({
    url: "http://collector:4318/v1/traces",
    headers: {},
    timeoutMs: 10_000,
    compression: "none",
    resource: { "service.name": "sheaf" },
    scheduleDelayMs: 5_000,
  });
});

test.each([
  ["http://c:4318/", "http://c:4318/v1/traces"],
  ["https://c/otlp", "https://c/otlp/v1/traces"],
  ["https://c/otlp/?key=1", "https://c/otlp/v1/traces?key=1"],
])("the general endpoint %s becomes %s", (given, url) => {
  expect(parseOtlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: given })?.url).toBe(url);
});

test("what is said for traces wins over what is said for all signals", () => {
  const settings = parseOtlpSettings({
    ...endpoint,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces/exactly/here",
    OTEL_EXPORTER_OTLP_HEADERS: "a=1,b=2%203, c = x=y ",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "a=mine",
    OTEL_EXPORTER_OTLP_TIMEOUT: "1",
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "2500",
    OTEL_EXPORTER_OTLP_COMPRESSION: "none",
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "gzip",
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/protobuf",
    OTEL_RESOURCE_ATTRIBUTES: "service.name=theirs,deployment.environment.name=ci%2C1",
    OTEL_SERVICE_NAME: "mine",
  });
  expect(settings).toMatchObject({
    url: "https://traces/exactly/here",
    headers: { a: "mine", b: "2 3", c: "x=y" },
    timeoutMs: 2_500,
    compression: "gzip",
    resource: { "service.name": "mine", "deployment.environment.name": "ci,1" },
  });
});

test.each([
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /grpc is not supported; http\/protobuf is/],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }, /http\/json is not supported; http\/protobuf is/],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, /OTEL_EXPORTER_OTLP_ENDPOINT is not an http/],
  [{ OTEL_EXPORTER_OTLP_TIMEOUT: "soon" }, /OTEL_EXPORTER_OTLP_TIMEOUT=soon is not a number/],
  [{ OTEL_EXPORTER_OTLP_TIMEOUT: "-1" }, /is not a number/],
  [{ OTEL_EXPORTER_OTLP_COMPRESSION: "zstd" }, /zstd is not supported/],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "authorization: Bearer s3cr3t" }, /OTEL_EXPORTER_OTLP_HEADERS: entry 1 is not/],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "a=1,b=%0d%0ax" }, /entry 2 is not/],
  [{ OTEL_EXPORTER_OTLP_HEADERS: "a=%zz" }, /entry 1 is not/],
])("%j is refused as a configuration fault that names what to write", (variables, message) => {
  const attempt = () => parseOtlpSettings({ ...endpoint, ...variables });
  expect(attempt).toThrow(message);
  expect(attempt).toThrow(Fault);
  expect(attempt).not.toThrow(/s3cr3t/);
});

test("headers and compression reach the collector, and the environment changes neither endpoint nor timeout", async () => {
  const seen: Record<string, unknown>[] = [];
  const collector = await startCollector((response) => {
    seen.push(response.req.headers);
    response.end();
  });
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:9/elsewhere";
  process.env.OTEL_EXPORTER_OTLP_COMPRESSION = "none";
  try {
    const more = { OTEL_EXPORTER_OTLP_HEADERS: "x-key=s%20t", OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" };
    const stage = scene({ openFeed: await exportTo(collector.url, more) });
    stage.tracer.startRoot("invoke_workflow job").end();
    await stage.hub.close();
    expect(stage.hub.counts.exported).toBe(1);
  } finally {
    delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
    delete process.env.OTEL_EXPORTER_OTLP_COMPRESSION;
    collector.close();
  }
  expect(seen).toMatchObject([
    { "x-key": "s t", "content-encoding": "gzip", "content-type": "application/x-protobuf" },
  ]);
});
