import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { storedSpan } from "../../src/protocol/span.ts";
import { plantRepository } from "../support/equipment.ts";
import { openSheaf, type Sheaf } from "../support/sheaf.ts";
import { type Receiver, startReceiver } from "../telemetry/receiver.ts";

let sheaf: Sheaf;
let receiver: Receiver;
beforeAll(async () => {
  sheaf = openSheaf({ inProcess: true });
  receiver = await startReceiver();
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  await receiver.close();
});

const caller = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };

describe("the trace of a job", () => {
  it("reaches a collector span by span as it is stored, each once, each with its parent, below the caller's", async () => {
    const repository = join(sheaf.folder, "repository");
    const sources = Array.from({ length: 60 }, (_, index) => [`m${index}.js`, `require('fs')\nrequire('path')\n`]);
    plantRepository(repository, Object.fromEntries(sources));
    const { result } = await sheaf.job(["--codemod", "node-protocol", "--repo", repository, "--check", "true"], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_COMPRESSION: "none",
        TRACEPARENT: `00-${caller.trace}-${caller.span}-01`,
      },
    });
    expect(result.outcome).toBe("succeeded");
    expect(result.trace_id).toBe(caller.trace);

    const shown = await sheaf.call(["show", "last", "--tree", "--output-format", "json"]);
    const stored = z.array(storedSpan).parse(JSON.parse(shown.stdout));
    await receiver.arrived(stored.length);
    const received = receiver.spans.map((span) => `${span.spanId} < ${span.parentSpanId} ${span.name}`);
    expect(received.sort()).toEqual(
      stored.map((span) => `${span.span_id} < ${span.parent_span_id} ${span.name}`).sort(),
    );
    expect(new Set(stored.map((span) => span.span_id)).size).toBe(stored.length);
    const ids = new Set(stored.map((span) => span.span_id));
    const roots = stored.filter((span) => !ids.has(span.parent_span_id ?? ""));
    expect(roots.map((span) => [span.name, span.parent_span_id])).toEqual([
      ["invoke_workflow node-protocol", caller.span],
    ]);
    const tree = await sheaf.call(["show", "last", "--tree"]);
    expect(tree.stdout.trim().split("\n")).toHaveLength(stored.length);
  });

  it("costs the job nothing when the collector is not there", async () => {
    const repository = join(sheaf.folder, "repository");
    const called = await sheaf.call(["run", "--codemod", "node-protocol", "--repo", repository], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" },
    });
    expect(called.code).toBe(0);
    expect(called.stderr).toContain("could not be exported");
  });
});
