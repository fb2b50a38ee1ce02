import type { SpanEnd, SpanStart, StoredSpan } from "../protocol/span.ts";
import { limitSpan } from "./limit-span.ts";
import type { Redactor } from "./redact.ts";
import type { SpanOwner } from "./span-book.ts";

/** An open span as it is held until it ends. `bytes` is a rough size. */
export interface HeldOpen {
  start: SpanStart;
  bytes: number;
  row(): StoredSpan;
}

/**
 * Nearly always its end replaces an open span before that is written: so it is redacted and cut when its row is made,
 * and no earlier, but for a large one, of which no more is held than may be written.
 */
export function holdOpen(given: SpanStart, owner: SpanOwner, redact: Redactor): HeldOpen {
  const rough = roughSize(given);
  if (rough <= mostUncleaned) {
    return { start: given, bytes: rough, row: () => openRow(clean(given, redact).start, owner) };
  }
  const { start, bytes } = clean(given, redact);
  return { start, bytes, row: () => openRow(start, owner) };
}

/** Characters. */
const mostUncleaned = 16 * 1024;

function roughSize({ name, attributes }: SpanStart): number {
  let size = name.length;
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    size += key.length + 8;
    if (typeof value === "string") size += value.length;
    else if (Array.isArray(value)) for (const item of value) size += item.length + 8;
  }
  return size;
}

function clean(start: SpanStart, redact: Redactor): { start: SpanStart; bytes: number } {
  const { content, bytes } = limitSpan({ ...start, events: [], links: [] }, redact);
  return { start: { ...start, name: content.name, attributes: content.attributes }, bytes };
}

function openRow(start: SpanStart, owner: SpanOwner): StoredSpan {
  return row({ ...start, status: "unset", events: [], links: [] }, owner, null);
}

/** Of a span that was redacted and cut, and does not end before it starts. */
export function endedRow(span: SpanEnd, owner: SpanOwner): StoredSpan {
  return row(span, owner, (BigInt(span.end_ns) - BigInt(span.start_ns)).toString());
}

type Finished = Omit<SpanEnd, "end_ns">;

function row(span: Finished, owner: SpanOwner, durNs: string | null): StoredSpan {
  const parent = span.parent_span_id === undefined ? {} : { parent_span_id: span.parent_span_id };
  const message = span.status_message === undefined ? {} : { status_message: span.status_message };
  return {
    trace_id: span.trace_id,
    span_id: span.span_id,
    ...parent,
    job_id: owner.jobId,
    ...(owner.runId === undefined ? {} : { run_id: owner.runId }),
    name: span.name,
    kind: span.kind,
    start_ns: span.start_ns,
    dur_ns: durNs,
    status: span.status,
    ...message,
    attributes: span.attributes,
    events: span.events,
    links: span.links,
  };
}
