import type { Attributes, SpanEnd, SpanMessage, SpanStart } from "../protocol/span.ts";

/**
 * Reads what a thread posted about a span, as strictly as the schema `spanMessage` and with the same result: what it
 * does not know is left out, and undefined stands for what is no message. By hand, because there are four in each turn
 * of each agent, and the schema takes ten times as long; a property test holds the two together.
 */
export function readSpanMessage(raw: unknown): SpanMessage | undefined {
  if (!isObject(raw)) return undefined;
  if (raw.at === "start") {
    const span = readStart(raw.span);
    return span && { at: "start", span };
  }
  if (raw.at !== "end" || !isObject(raw.span)) return undefined;
  const span = readEnd(raw.span);
  return span && { at: "end", span };
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function readStart(raw: unknown): SpanStart | undefined {
  if (!isObject(raw)) return undefined;
  const { trace_id, span_id, parent_span_id, name, kind, start_ns } = raw;
  if (!(isId(trace_id, 32) && isId(span_id, 16)) || typeof name !== "string") return undefined;
  if (kind !== "internal" && kind !== "client" && kind !== "server") return undefined;
  const attributes = readAttributes(raw.attributes);
  if (!(isDigits(start_ns) && attributes)) return undefined;
  if (parent_span_id === undefined) return { trace_id, span_id, name, kind, start_ns, attributes };
  return isId(parent_span_id, 16) ? { trace_id, span_id, parent_span_id, name, kind, start_ns, attributes } : undefined;
}

function readEnd(raw: Fields): SpanEnd | undefined {
  const start = readStart(raw);
  const { end_ns, status, status_message } = raw;
  if (!(start && isDigits(end_ns))) return undefined;
  if (status !== "unset" && status !== "ok" && status !== "error") return undefined;
  const events = readAll(raw.events, readEvent);
  const links = readAll(raw.links, readLink);
  if (!(events && links)) return undefined;
  if (status_message === undefined) return { ...start, end_ns, status, events, links };
  return typeof status_message === "string" ? { ...start, end_ns, status, status_message, events, links } : undefined;
}

function readEvent(raw: unknown): SpanEnd["events"][number] | undefined {
  if (!isObject(raw)) return undefined;
  const { name, at_ns } = raw;
  const attributes = readAttributes(raw.attributes);
  return typeof name === "string" && typeof at_ns === "string" && attributes ? { name, at_ns, attributes } : undefined;
}

function readLink(raw: unknown): SpanEnd["links"][number] | undefined {
  if (!isObject(raw)) return undefined;
  const { trace_id, span_id } = raw;
  return isId(trace_id, 32) && isId(span_id, 16) ? { trace_id, span_id } : undefined;
}

function readAll<Item>(raw: unknown, read: (item: unknown) => Item | undefined): Item[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  const items: Item[] = [];
  for (const each of raw) {
    const item = read(each);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

function isId(value: unknown, length: 16 | 32): value is string {
  return typeof value === "string" && value.length === length && hex.test(value);
}

const hex = /^[0-9a-f]+$/;

function isDigits(value: unknown): value is string {
  return typeof value === "string" && digits.test(value);
}

const digits = /^\d+$/;

/** As they came: a structured clone is nobody else's, and holds no accessors. */
function readAttributes(raw: unknown): Attributes | undefined {
  if (!(isObject(raw) && isPlain(raw))) return undefined;
  let kept = raw;
  for (const key of Object.keys(raw)) {
    if (key === "__proto__") kept = without(raw, key);
    else if (!isValue(raw[key])) return undefined;
  }
  return kept as Attributes;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function without(fields: Fields, left: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== left));
}

function isValue(value: unknown): boolean {
  if (typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (!Array.isArray(value)) return false;
  for (const item of value) if (typeof item !== "string") return false;
  return true;
}
