import { randomBytes } from "node:crypto";
import type { SpanEnd, SpanMessage, StoredSpan } from "../../src/protocol/span.ts";
import { createSpanHub, type SpanHub, type SpanHubOptions } from "../../src/telemetry/span-hub.ts";
import { createTracer, type Tracer } from "../../src/telemetry/thread-tracer.ts";

export const clock = {
  now: () => performance.timeOrigin + performance.now(),
  random: (count: number) => randomBytes(count),
};

/** A store that keeps the last row of each span and refuses what a real one would. */
export interface MemoryStore {
  rows: Map<string, StoredSpan>;
  calls: StoredSpan[][];
  store(rows: StoredSpan[]): Promise<void>;
}

export function memoryStore(): MemoryStore {
  const rows = new Map<string, StoredSpan>();
  const calls: StoredSpan[][] = [];
  return {
    rows,
    calls,
    store(batch) {
      const keys = batch.map((row) => row.trace_id + row.span_id);
      if (new Set(keys).size < keys.length) return Promise.reject(new Error("a span twice in one batch"));
      calls.push(batch);
      for (const row of batch) rows.set(row.span_id, row);
      return Promise.resolve();
    },
  };
}

export interface Scene {
  hub: SpanHub;
  memory: MemoryStore;
  warnings: string[];
  tracer: Tracer;
}

/** A hub on a memory store, with a trusted tracer of job `job-1`. */
export function scene(options: Partial<SpanHubOptions> = {}): Scene {
  const memory = memoryStore();
  const warnings: string[] = [];
  const hub = createSpanHub({
    store: (rows) => memory.store(rows),
    redact: (text) => text,
    clock,
    warn: (message) => warnings.push(message),
    ...options,
  });
  const tracer = createTracer((message) => hub.accept(message, { jobId: "job-1" }), clock);
  return { hub, memory, warnings, tracer };
}

/** Everything a tracer hands on. */
export function recordingTracer(): { tracer: Tracer; messages: SpanMessage[]; ends(): SpanEnd[] } {
  const messages: SpanMessage[] = [];
  const tracer = createTracer((message) => messages.push(message), clock);
  return { tracer, messages, ends: () => messages.flatMap((message) => (message.at === "end" ? [message.span] : [])) };
}
