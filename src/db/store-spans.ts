import type { StoredSpan } from "../protocol/span.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { sql } from "./drizzle.ts";

const batch = 500;

/**
 * Stores spans, open or ended, in a few statements. An ended one replaces its open self and is never opened again,
 * in whatever order the two arrive. What jsonb cannot hold (U+0000, half of a surrogate pair) becomes U+FFFD.
 */
export async function storeSpans(spans: readonly StoredSpan[], database: Database): Promise<void> {
  const newest = [...latest(spans).values()];
  for (let start = 0; start < newest.length; start += batch) {
    const some = textOf(newest.slice(start, start + batch));
    await attempt("store spans", database, (orm) => orm.execute(upsert(some)));
  }
}

/** One of each: a statement may not touch a row twice. */
function latest(spans: readonly StoredSpan[]): Map<string, StoredSpan> {
  const found = new Map<string, StoredSpan>();
  for (const span of spans) {
    const key = `${span.trace_id} ${span.span_id}`;
    if (span.dur_ns !== null || (found.get(key)?.dur_ns ?? null) === null) found.set(key, span);
  }
  return found;
}

/**
 * As short as it can be: the embedded database spends half the time of a statement on taking its bytes. What nearly
 * all spans have in common is left out.
 */
function textOf(spans: readonly StoredSpan[]): string {
  const text = JSON.stringify(spans.map(short));
  // How JSON writes what jsonb cannot hold. A text that only speaks of it is looked at once more, and stays as it is.
  return unholdable.test(text) ? JSON.stringify(spans.map(short), (_, value) => holdable(value)) : text;
}

const unholdable = /\\u(?:0000|d[89a-f])/;

function short(span: StoredSpan) {
  return {
    t: span.trace_id,
    s: span.span_id,
    p: span.parent_span_id,
    j: span.job_id,
    r: span.run_id,
    n: span.name,
    k: span.kind === "internal" ? undefined : span.kind,
    o: span.status === "unset" ? undefined : span.status,
    m: span.status_message,
    b: span.start_ns,
    d: span.dur_ns ?? undefined,
    a: span.attributes,
    e: span.events.length === 0 ? undefined : span.events,
    l: span.links.length === 0 ? undefined : span.links,
  };
}

function holdable(value: unknown): unknown {
  if (typeof value === "string") return holdableText(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [holdableText(key), each]));
}

function holdableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}

function upsert(json: string) {
  return sql`
insert into sheaf.spans as old (trace_id, span_id, parent_span_id, job_id, run_id, name, kind, status, status_message,
  start_ns, dur_ns, attrs, events, links)
select s.t, s.s, s.p, s.j, s.r, s.n, coalesce(s.k, 'internal'), coalesce(s.o, 'unset'), s.m, s.b, s.d, s.a,
  coalesce(s.e, '[]'), coalesce(s.l, '[]')
from json_to_recordset(${json}::json) as s(t text, s text, p text, j uuid, r uuid, n text, k text, o text, m text,
  b bigint, d bigint, a jsonb, e jsonb, l jsonb)
on conflict (trace_id, span_id) do update set
  parent_span_id = excluded.parent_span_id, run_id = excluded.run_id, name = excluded.name, kind = excluded.kind,
  status = excluded.status, status_message = excluded.status_message, start_ns = excluded.start_ns,
  dur_ns = excluded.dur_ns, attrs = excluded.attrs, events = excluded.events, links = excluded.links
where old.dur_ns is null`;
}
