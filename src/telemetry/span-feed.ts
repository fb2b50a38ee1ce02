import type { Resource } from "@opentelemetry/resources";
import { BatchSpanProcessor, type SpanExporter } from "@opentelemetry/sdk-trace";
import type { SpanEnd } from "../protocol/span.ts";
import { readableSpan } from "./readable-span.ts";

/** Where finished spans go, and as whose. */
export interface SpanTarget {
  exporter: SpanExporter;
  resource: Resource;
  version: string;
  /** How long a span may wait for its batch. */
  scheduleDelayMs: number;
}

/**
 * Feeds the batch processor no faster than its exporter drains it. The processor drops what exceeds its queue, and a
 * forced flush sends its whole queue at once, of which the exporter refuses all beyond 30 requests: so the queue
 * stays at 16 batches and the rest waits here. It never makes anyone wait long for a collector, and it warns once.
 */
export class SpanFeed {
  readonly counts = { exported: 0, failed: 0 };
  readonly #target: SpanTarget;
  readonly #warn: (message: string) => void;
  readonly #processor: BatchSpanProcessor;
  #waiting: { span: SpanEnd; bytes: number }[] = [];
  #waitingBytes = 0;
  #outstanding = 0;
  #requests = 0;
  #flushing: Promise<void> | undefined;
  #isSuspect = false;
  #whenIdle = Promise.withResolvers<void>();

  constructor(target: SpanTarget, warn: (message: string) => void) {
    this.#target = target;
    this.#warn = warn;
    this.#processor = new BatchSpanProcessor({
      exporter: this.#watched(target.exporter),
      maxExportBatchSize: batchSize,
      maxQueueSize: queueSize,
      scheduledDelayMillis: target.scheduleDelayMs,
    });
  }

  /** `bytes` is a rough size, for the bound on what may wait. */
  add(span: SpanEnd, bytes: number): void {
    if (this.#waitingBytes + bytes > mostWaitingBytes) {
      this.#fail(1, "the collector is too slow");
      return;
    }
    this.#waiting.push({ span, bytes });
    this.#waitingBytes += bytes;
    if (this.#outstanding < queueSize) this.#pump();
  }

  /** Sends all there is, as far as the collector takes it in a few seconds. Never rejects. */
  flush(): Promise<void> {
    if (this.#left === 0) return Promise.resolve();
    // One that is under way goes on until nothing is left, so it is everybody's.
    this.#flushing ??= this.#flushOnce().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async close(): Promise<void> {
    await this.flush();
    const left = this.#left;
    if (left > 0) this.#fail(left, "the collector did not answer in time");
    this.#waiting = [];
    await within(this.#processor.shutdown().catch(heardAlready), left > 0 ? 0 : longWaitMs);
  }

  get #left(): number {
    return this.#outstanding + this.#waiting.length;
  }

  async #flushOnce(): Promise<void> {
    this.#whenIdle = Promise.withResolvers();
    this.#pushOut();
    // A collector that let us down gets no second long wait.
    const isIdle = await within(this.#whenIdle.promise, this.#isSuspect ? shortWaitMs : longWaitMs);
    if (!isIdle) this.#isSuspect = true;
  }

  #pump(): void {
    for (const next of this.#waiting.splice(0, queueSize - this.#outstanding)) {
      this.#waitingBytes -= next.bytes;
      this.#outstanding += 1;
      this.#processor.onEnd(readableSpan(next.span, this.#target));
    }
  }

  /** A forced flush makes a request of each batch in the queue, however many are under way. */
  #pushOut(): void {
    if (this.#requests + queueSize / batchSize < mostRequests) this.#processor.forceFlush().catch(heardAlready);
  }

  #watched(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) => {
        this.#requests += 1;
        exporter.export(spans, (result) => {
          this.#requests -= 1;
          done(result);
          this.#settle(spans.length, result.code === 0 ? undefined : (result.error ?? new Error("it was refused")));
        });
      },
      shutdown: () => exporter.shutdown(),
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    };
  }

  #settle(spans: number, error: Error | undefined): void {
    this.#outstanding -= spans;
    this.#isSuspect = error !== undefined;
    if (error) this.#fail(spans, error.message || error.name);
    else this.counts.exported += spans;
    this.#pump();
    if (this.#outstanding === 0) this.#whenIdle.resolve();
    else if (this.#flushing !== undefined) this.#pushOut();
  }

  #fail(spans: number, why: string): void {
    if (this.counts.failed === 0) {
      this.#warn(`spans could not be exported: ${why}; they are stored, and the job goes on`);
    }
    this.counts.failed += spans;
  }
}

const batchSize = 512;
const queueSize = 16 * batchSize;
/** The exporter refuses more at a time than 30. */
const mostRequests = 30;
const mostWaitingBytes = 64 * 1024 * 1024;
const longWaitMs = 5_000;
const shortWaitMs = 500;

/** The processor's own promises say nothing that `settle` did not hear. */
function heardAlready(): void {}

async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  const isDone = await Promise.race([promise.then(() => true), late.promise]);
  clearTimeout(timer);
  return isDone;
}
