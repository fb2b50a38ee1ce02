import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parseDocument } from "yaml";
import { z } from "zod";

/** Components of the collector's own repository, which every distribution is built from; by their names since 0.144. */
const core = {
  receivers: ["otlp", "nop"],
  processors: ["memory_limiter", "batch"],
  exporters: ["otlp_grpc", "otlp_http", "debug", "nop"],
};

const components = z.record(z.string(), z.unknown());
const names = z.array(z.string()).min(1);
const configuration = z.strictObject({
  receivers: components,
  processors: components,
  exporters: components,
  service: z.strictObject({
    pipelines: z.record(z.string(), z.strictObject({ receivers: names, processors: names, exporters: names })),
  }),
});

async function readConfiguration() {
  const document = parseDocument(await readFile(new URL("../../otel-collector.yaml", import.meta.url), "utf8"));
  expect(document.errors).toEqual([]);
  expect(document.warnings).toEqual([]);
  return configuration.parse(document.toJS());
}

const sections = ["receivers", "processors", "exporters"] as const;

test.each(sections)(
  "each of the collector's %s is in the core distribution, defined once and used",
  async (section) => {
    const { service, ...config } = await readConfiguration();
    const defined = Object.keys(config[section]);
    const used = Object.values(service.pipelines).flatMap((pipeline) => pipeline[section]);
    expect(new Set(used)).toEqual(new Set(defined));
    for (const name of defined) expect(core[section]).toContain(name.split("/")[0]);
  },
);

test("the collector takes OTLP by gRPC and HTTP on its own machine unless told otherwise, and limits memory before it batches", async () => {
  const config = await readConfiguration();
  const host = `\${env:SHEAF_COLLECTOR_HOST:-localhost}`;
  expect(config.receivers.otlp).toEqual({
    protocols: { grpc: { endpoint: `${host}:4317` }, http: { endpoint: `${host}:4318` } },
  });
  expect(config.service.pipelines.traces?.processors).toEqual(["memory_limiter", "batch"]);
});

test("the collector does not pass spans on to itself", async () => {
  const config = await readConfiguration();
  const { endpoint } = z.object({ endpoint: z.string() }).loose().parse(config.exporters.otlp_http);
  const [, fallback] = /^\$\{env:SHEAF_TRACES_UPSTREAM:-(.+)\}$/.exec(endpoint) ?? [];
  expect(new URL(fallback ?? "").port).not.toBe("4318");
});
