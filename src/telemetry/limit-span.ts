import type { Attributes, SpanEnd } from "../protocol/span.ts";
import { sizeIfClean } from "./clean-already.ts";
import type { Redactor } from "./redact.ts";
import { attribute } from "./semconv.ts";

/** What of a span was written by others and may hold anything. */
export type SpanContent = Pick<SpanEnd, "name" | "attributes" | "events" | "links" | "status_message">;

/** In bytes of UTF-8, but for the counts. */
export const spanLimits = Object.freeze({
  attribute: 16 * 1024,
  span: 256 * 1024,
  name: 512,
  key: 256,
  attributes: 128,
  events: 1_000,
  links: 10_000,
});

/**
 * Redacts a span's content and cuts it to its limits, in that order, so that no half of a secret is left at a cut.
 * Nothing that was cut goes unsaid: the text ends in `[cut]`, and the span carries `sheaf.truncated`.
 * What comes out is storable anywhere: well-formed, without NUL, every number finite.
 */
export function limitSpan(content: SpanContent, redact: Redactor): { content: SpanContent; bytes: number } {
  const small = sizeIfClean(content, redact);
  if (small !== undefined) return { content, bytes: small };
  const budget: Budget = { bytes: spanLimits.span - 1024, isCut: false, redact };
  const name = clean(content.name, spanLimits.name, budget);
  const message = content.status_message;
  const status = message === undefined ? {} : { status_message: clean(message, spanLimits.attribute, budget) };
  const attributes = cleanAttributes(content.attributes, budget);
  const events = content.events.slice(0, spanLimits.events).flatMap((event) => cleanEvent(event, budget));
  const links = content.links.slice(0, spanLimits.links).filter(() => spend(48, budget));
  const isCut = budget.isCut || events.length < content.events.length || links.length < content.links.length;
  const marked = isCut ? { ...attributes, [attribute.truncated]: true } : attributes;
  return { content: { name, attributes: marked, events, links, ...status }, bytes: spanLimits.span - budget.bytes };
}

interface Budget {
  bytes: number;
  isCut: boolean;
  redact: Redactor;
}

function spend(bytes: number, budget: Budget): boolean {
  if (bytes > budget.bytes) {
    budget.isCut = true;
    return false;
  }
  budget.bytes -= bytes;
  return true;
}

function cleanEvent(event: SpanEnd["events"][number], budget: Budget): SpanEnd["events"] {
  if (!spend(64, budget)) return [];
  const name = clean(event.name, spanLimits.name, budget);
  return [{ name, at_ns: event.at_ns, attributes: cleanAttributes(event.attributes, budget) }];
}

function cleanAttributes(attributes: Attributes, budget: Budget): Attributes {
  const entries = Object.entries(attributes);
  if (entries.length > spanLimits.attributes) budget.isCut = true;
  const kept = entries.slice(0, spanLimits.attributes).flatMap(([key, value]) => {
    if (key.length > spanLimits.key || !spend(key.length * 3 + 8, budget)) {
      budget.isCut = true;
      return [];
    }
    return [[storable(key), cleanValue(value, budget)] as const];
  });
  return Object.fromEntries(kept);
}

function cleanValue(value: Attributes[string], budget: Budget): Attributes[string] {
  if (typeof value === "string") return clean(value, spanLimits.attribute, budget);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "boolean") return value;
  let left = spanLimits.attribute;
  return value.flatMap((item) => {
    const text = left < 16 ? undefined : clean(item, left, budget);
    if (text === undefined) budget.isCut = true;
    left -= text === undefined ? 0 : Buffer.byteLength(text) + 8;
    return text === undefined ? [] : [text];
  });
}

/** Redacted, then at most `limit` bytes, and no more than the span has left. */
function clean(text: string, limit: number, budget: Budget): string {
  const redacted = redactStart(storable(text), budget);
  const most = Math.max(0, Math.min(limit, budget.bytes));
  const cut = cutTo(redacted.text, most, redacted.isStartOnly);
  if (cut !== redacted.text || redacted.isStartOnly) budget.isCut = true;
  budget.bytes -= Buffer.byteLength(cut);
  return cut;
}

/**
 * Of a huge text only the start is looked at, as no more can be kept. A secret across that edge would survive as a
 * half that nothing recognises, so the last stretch before it is given up as well.
 */
function redactStart(text: string, budget: Budget): { text: string; isStartOnly: boolean } {
  if (text.length <= longestRead) return { text: budget.redact(text), isStartOnly: false };
  const start = budget.redact(text.slice(0, longestRead).toWellFormed());
  return { text: start.slice(0, Math.max(0, start.length - edge)), isStartOnly: true };
}

const longestRead = 128 * 1024;
/** Longer than a PEM of RSA-4096 and than any token. */
const edge = 8 * 1024;
const mark = "[cut]";

function cutTo(text: string, most: number, isCutAlready: boolean): string {
  if (!isCutAlready && Buffer.byteLength(text) <= most) return text;
  if (most < mark.length) return "";
  const bytes = Buffer.from(text).subarray(0, most - mark.length);
  return `${bytes.toString().replace(/\uFFFD{1,3}$/, "")}${mark}`;
}

/** PostgreSQL keeps neither NUL nor half a surrogate pair. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}
