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
    const some = JSON.stringify(newest.slice(start, start + batch), (_, value) => holdable(value));
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
select s.trace_id, s.span_id, s.parent_span_id, s.job_id, s.run_id, s.name, s.kind, s.status, s.status_message,
  s.start_ns, s.dur_ns, s.attributes, s.events, s.links
from json_to_recordset(${json}::json) as s(trace_id text, span_id text, parent_span_id text, job_id uuid, run_id uuid,
  name text, kind text, status text, status_message text, start_ns bigint, dur_ns bigint, attributes jsonb,
  events jsonb, links jsonb)
on conflict (trace_id, span_id) do update set
  parent_span_id = excluded.parent_span_id, run_id = excluded.run_id, name = excluded.name, kind = excluded.kind,
  status = excluded.status, status_message = excluded.status_message, start_ns = excluded.start_ns,
  dur_ns = excluded.dur_ns, attrs = excluded.attrs, events = excluded.events, links = excluded.links
where old.dur_ns is null`;
}
