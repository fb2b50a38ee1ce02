import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { and, eq } from "./drizzle.ts";
import { spans } from "./schema.ts";

/** Where a span stands, if it was stored. `startNs`: nanoseconds since the epoch, as text. */
export async function findSpan(
  { traceId, spanId }: { traceId: string; spanId: string },
  database: Database,
): Promise<{ parentSpanId: string | undefined; startNs: string } | undefined> {
  const [row] = await attempt("look for a span", database, (orm) =>
    orm
      .select({ parent: spans.parentSpanId, start: spans.startNs })
      .from(spans)
      .where(and(eq(spans.traceId, traceId), eq(spans.spanId, spanId))),
  );
  return row && { parentSpanId: row.parent ?? undefined, startNs: row.start.toString() };
}
