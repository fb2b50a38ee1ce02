import type { AuditedCall, AuditPage } from "../protocol/audited-call.ts";
import { Fault } from "../protocol/failure.ts";
import { type Clock, newUuid } from "../protocol/ids.ts";
import { visibleLine } from "../protocol/visible.ts";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { and, desc, eq, sql } from "./drizzle.ts";
import { audit } from "./schema.ts";

/** Who asked for which change, and what became of it. Rows are added before anything is done, and their status once. */
export interface AuditLog {
  /** Resolves with the row's id once it is stored. Throws Fault when it cannot be. */
  begin(call: NewCall): Promise<string>;
  end(id: string, status: number): Promise<void>;
  /** Newest first. Throws Fault `usage` for a cursor that no page gave. */
  list(page: { limit: number; after?: string | undefined }): Promise<AuditPage>;
}

interface NewCall {
  /** Absent for a caller without a valid token. */
  actor: string | undefined;
  address: string | undefined;
  method: string;
  /** Without its query. */
  path: string;
  requestId: string;
}

interface Around {
  clock: Clock;
  redact(text: string): string;
}

export function openAudit({ clock, redact }: Around, database: Database): AuditLog {
  let prunedAt = Number.NEGATIVE_INFINITY;
  return {
    async begin({ actor, address, method, path, requestId }) {
      const at = new Date(clock.now());
      const row = {
        id: newUuid(clock),
        at,
        actor: actor ?? null,
        address: address === undefined ? null : bounded(address, 100),
        method: bounded(method, 20),
        path: bounded(redact(path.slice(0, longestRead)), 500),
        requestId: bounded(requestId, 100),
      };
      await attempt("write the audit log", database, (orm) => orm.insert(audit).values(row).onConflictDoNothing());
      if (at.getTime() - prunedAt > pruneEveryMs) {
        prunedAt = at.getTime();
        await prune(prunedAt, database);
      }
      return row.id;
    },
    async end(id, status) {
      const answered = { status, answeredAt: new Date(clock.now()) };
      await attempt("write the audit log", database, (orm) => orm.update(audit).set(answered).where(eq(audit.id, id)));
    },
    list: (page) => listCalls(page, database),
  };
}

/** What was refused changed nothing and costs nothing to ask, so it is not kept for ever. */
const refusedKeptMs = 30 * 86_400_000;
const pruneEveryMs = 3_600_000;
const longestRead = 4_000;

function bounded(text: string, most: number): string {
  return visibleLine(text, most);
}

async function prune(now: number, database: Database): Promise<void> {
  const oldest = new Date(now - refusedKeptMs).toISOString();
  const isOld = sql`${audit.at} < ${oldest}::timestamptz`;
  const isRefused = sql`(${audit.actor} is null or ${audit.status} between 400 and 499)`;
  await attempt("prune the audit log", database, (orm) => orm.delete(audit).where(and(isRefused, isOld)));
}

async function listCalls(
  { limit, after }: { limit: number; after?: string | undefined },
  database: Database,
): Promise<AuditPage> {
  const older = after === undefined ? undefined : olderThan(after);
  const rows = await attempt("read the audit log", database, (orm) =>
    orm
      .select()
      .from(audit)
      .where(older)
      .orderBy(desc(audit.at), desc(audit.id))
      .limit(limit + 1),
  );
  const page = rows.slice(0, limit).map(callOf);
  const last = page.at(-1);
  return { calls: page, ...(rows.length > limit && last ? { next: `${last.at}/${last.id}` } : {}) };
}

function olderThan(cursor: string) {
  const [, at, id] = /^(\d{4}-[0-9T:.-]{15,25}Z)\/([0-9a-f-]{36})$/.exec(cursor) ?? [];
  // JavaScript takes the 30th of February for a day in March, PostgreSQL for a mistake.
  const isTime = at !== undefined && !Number.isNaN(Date.parse(at)) && new Date(at).toISOString() === at;
  if (!isTime || id === undefined || !uuid.test(id)) {
    throw new Fault("usage", "the cursor is not one that a page of the audit log gave", {
      remedy: "start from the first page",
    });
  }
  return sql`(${audit.at}, ${audit.id}) < (${at}::timestamptz, ${id}::uuid)`;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function callOf({ requestId, at, answeredAt, ...row }: typeof audit.$inferSelect): AuditedCall {
  return { ...row, at: at.toISOString(), request_id: requestId, answered_at: answeredAt?.toISOString() ?? null };
}
