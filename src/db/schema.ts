import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  index,
  integer,
  json,
  jsonb,
  pgSchema,
  primaryKey,
  sql,
  text,
  timestamp,
  unique,
  uuid,
} from "./drizzle.ts";

/**
 * What is stored. The event log is the truth; the other tables are projections of it, artifacts and spans beside it.
 * No SQL newer than PostgreSQL 15, no default that makes an id or a time: those come from the caller.
 */
export const sheaf = pgSchema("sheaf");

const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });
const moment = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/** The last number given out for each job name; its row lock is what makes handles free of races. */
export const handles = sheaf.table("handles", {
  name: text("name").primaryKey(),
  last: integer("last").notNull(),
});

/** The public face of a root run. `head` is the place of the job's newest fact over the logs of all its runs. */
export const jobs = sheaf.table(
  "jobs",
  {
    runId: uuid("run_id").primaryKey(),
    handle: text("handle").notNull().unique(),
    name: text("name").notNull(),
    specSha: text("spec_sha").notNull(),
    baseCommit: text("base_commit").notNull(),
    repository: text("repository").notNull(),
    state: text("state", { enum: ["running", "finished"] }).notNull(),
    outcome: text("outcome"),
    result: json("result"),
    traceId: text("trace_id").notNull(),
    head: bigint("head", { mode: "number" }).notNull(),
    /** What the client named its request by, and sha256 of the request: the same twice is one job. */
    idempotencyKey: text("idempotency_key").unique(),
    requestSha: text("request_sha"),
    createdAt: moment("created_at").notNull(),
    finishedAt: moment("finished_at"),
  },
  (table) => [index("jobs_newest").on(table.createdAt, table.runId)],
);

/** `epoch` counts the owners; `head` is the seq of the newest fact. Every write names both. */
export const runs = sheaf.table(
  "runs",
  {
    id: uuid("id").primaryKey(),
    jobId: uuid("job_id")
      .notNull()
      .references(() => jobs.runId, { onDelete: "cascade" }),
    parentId: uuid("parent_id"),
    taskId: text("task_id"),
    step: integer("step").notNull(),
    attempt: integer("attempt").notNull(),
    kind: text("kind", { enum: ["root", "agent", "command"] }).notNull(),
    state: text("state", { enum: ["queued", "running", "waiting", "succeeded", "failed", "cancelled"] }).notNull(),
    epoch: integer("epoch").notNull(),
    owner: text("owner"),
    head: bigint("head", { mode: "number" }).notNull(),
    failure: json("failure"),
    /** What any node needs to do it, of a run that is not its job's owner's alone. */
    spec: json("spec"),
    createdAt: moment("created_at").notNull(),
    startedAt: moment("started_at"),
    finishedAt: moment("finished_at"),
  },
  (table) => [index("runs_of_job").on(table.jobId)],
);

export const tasks = sheaf.table(
  "tasks",
  {
    jobId: uuid("job_id")
      .notNull()
      .references(() => jobs.runId, { onDelete: "cascade" }),
    id: text("id").notNull(),
    ordinal: integer("ordinal").notNull(),
    title: text("title").notNull(),
    state: text("state"),
    resultTree: text("result_tree"),
    resultCommit: text("result_commit"),
    landed: boolean("landed").notNull(),
    /** What it was asked, and the data of its last fact: for a task of another job that is asked the same. */
    keySha: text("key_sha"),
    finished: json("finished"),
  },
  (table) => [
    primaryKey({ columns: [table.jobId, table.id] }),
    unique().on(table.jobId, table.ordinal),
    index("tasks_of_key").on(table.keySha).where(sql`key_sha is not null`),
  ],
);

/**
 * `data` is json and not jsonb: it keeps the exact text, with U+0000, lone surrogates and the order of keys.
 * No foreign key: the fence proves that the run exists, and a check per row would cost a third of an append.
 * `pos` is gapless per job and rises in commit order, since it is taken under the lock of the job's row.
 */
export const events = sheaf.table(
  "events",
  {
    runId: uuid("run_id").notNull(),
    seq: bigint("seq", { mode: "number" }).notNull(),
    jobId: uuid("job_id").notNull(),
    pos: bigint("pos", { mode: "number" }).notNull(),
    id: uuid("id").notNull(),
    type: text("type").notNull(),
    data: json("data").notNull(),
    epoch: integer("epoch").notNull(),
    spanId: text("span_id"),
    at: moment("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.seq] }), unique().on(table.jobId, table.pos)],
);

/** What somebody outside asks of a run; only its owner acts on it. `taken_at` is null until it has. */
export const requests = sheaf.table(
  "requests",
  {
    id: uuid("id").primaryKey(),
    runId: uuid("run_id")
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    kind: text("kind", { enum: ["cancel", "steer", "pause", "resume"] }).notNull(),
    body: json("body").notNull(),
    at: moment("at").notNull(),
    takenAt: moment("taken_at"),
  },
  (table) => [index("requests_open").on(table.runId).where(sql`taken_at is null`)],
);

/** Questions to people. The first answer is an update of a row that is still pending; only the run's owner acts on it. */
export const approvals = sheaf.table(
  "approvals",
  {
    id: uuid("id").primaryKey(),
    jobId: uuid("job_id")
      .notNull()
      .references(() => jobs.runId, { onDelete: "cascade" }),
    runId: uuid("run_id").notNull(),
    taskId: text("task_id").notNull(),
    callId: text("call_id").notNull(),
    tool: text("tool").notNull(),
    input: text("input").notNull(),
    inputSha: text("input_sha").notNull(),
    rule: text("rule").notNull(),
    source: text("source").notNull(),
    reason: text("reason").notNull(),
    suggestion: text("suggestion"),
    state: text("state", { enum: ["pending", "allowed", "denied", "expired", "withdrawn"] }).notNull(),
    remember: boolean("remember").notNull(),
    decidedBy: text("decided_by"),
    note: text("note"),
    at: moment("at").notNull(),
    expiresAt: moment("expires_at").notNull(),
    decidedAt: moment("decided_at"),
  },
  (table) => [
    index("approvals_of_job").on(table.jobId, table.at),
    index("approvals_pending").on(table.at).where(sql`state = 'pending'`),
  ],
);

/** Every call that asked for a change, before it was acted on; `status` is null until it was answered. */
export const audit = sheaf.table(
  "audit",
  {
    id: uuid("id").primaryKey(),
    at: moment("at").notNull(),
    /** The token's name; null where the caller had none that counts. */
    actor: text("actor"),
    address: text("address"),
    method: text("method").notNull(),
    path: text("path").notNull(),
    requestId: text("request_id").notNull(),
    status: integer("status"),
    answeredAt: moment("answered_at"),
  },
  (table) => [index("audit_newest").on(table.at, table.id)],
);

export const artifacts = sheaf.table("artifacts", {
  sha256: text("sha256").primaryKey(),
  size: bigint("size", { mode: "number" }).notNull(),
  mediaType: text("media_type").notNull(),
  bytes: bytes("bytes").notNull(),
});

/** What runs of a day (UTC, as 2026-11-23) used of a model; written as each run ends. `cost` is nano-USD of what has a price. */
export const usage = sheaf.table(
  "usage",
  {
    tenant: text("tenant").notNull(),
    day: text("day").notNull(),
    model: text("model").notNull(),
    runs: bigint("runs", { mode: "number" }).notNull(),
    inputTokens: bigint("input_tokens", { mode: "number" }).notNull(),
    outputTokens: bigint("output_tokens", { mode: "number" }).notNull(),
    cacheReadTokens: bigint("cache_read_tokens", { mode: "number" }).notNull(),
    cacheWriteTokens: bigint("cache_write_tokens", { mode: "number" }).notNull(),
    costNanoUsd: bigint("cost_nano_usd", { mode: "number" }).notNull(),
    isCostKnown: boolean("is_cost_known").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.day, table.model] })],
);

/** Where the operator limits a day: what is spent and what is reserved, of all nodes together. */
export const dayBudgets = sheaf.table(
  "day_budgets",
  {
    tenant: text("tenant").notNull(),
    day: text("day").notNull(),
    spentTokens: bigint("spent_tokens", { mode: "number" }).notNull(),
    spentNanoUsd: bigint("spent_nano_usd", { mode: "number" }).notNull(),
    reservedTokens: bigint("reserved_tokens", { mode: "number" }).notNull(),
    reservedNanoUsd: bigint("reserved_nano_usd", { mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.day] })],
);

/**
 * What several nodes may ask of one model behind one endpoint: when, in milliseconds since the epoch by the database's
 * clock, all that was let through would be over at its rate.
 */
export const rates = sheaf.table("rates", {
  lane: text("lane").primaryKey(),
  requestsAt: doublePrecision("requests_at").notNull(),
  tokensAt: doublePrecision("tokens_at").notNull(),
  pausedUntil: doublePrecision("paused_until").notNull(),
});

/** `dur_ns` is null while the span is open. */
export const spans = sheaf.table(
  "spans",
  {
    traceId: text("trace_id").notNull(),
    spanId: text("span_id").notNull(),
    parentSpanId: text("parent_span_id"),
    jobId: uuid("job_id").notNull(),
    runId: uuid("run_id"),
    name: text("name").notNull(),
    kind: text("kind").notNull(),
    status: text("status").notNull(),
    statusMessage: text("status_message"),
    startNs: bigint("start_ns", { mode: "bigint" }).notNull(),
    durNs: bigint("dur_ns", { mode: "bigint" }),
    attrs: jsonb("attrs").notNull(),
    events: jsonb("events").notNull(),
    links: jsonb("links").notNull(),
  },
  (table) => [primaryKey({ columns: [table.traceId, table.spanId] }), index("spans_of_job").on(table.jobId)],
);
