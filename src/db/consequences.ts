import type { SQL } from "drizzle-orm";
import type { Failure } from "../protocol/failure.ts";
import type { JobId, RunId, TaskId } from "../protocol/ids.ts";
import type { TaskState } from "../protocol/task-state.ts";
import { sql } from "./drizzle.ts";
import type { UsedModel } from "./record-usage.ts";

/**
 * What follows from facts in the other tables. It is written by the statement that appends them, for those runs whose
 * facts it appends, or not at all: no table says what the log does not, and no run costs a transaction of its own.
 */
export interface Consequences {
  /** Of the first facts of a run: its row, where its parent is still the caller's: its own from epoch 1 on, or with a `spec` nobody's. */
  opens?: NewRun;
  /** Of its last facts. */
  ends?: RunEnd;
  /** For the books of the day, once. */
  used?: UsedModel;
  /** Of a root run: what became of one of its tasks. */
  task?: TaskRecord;
}

export interface NewRun {
  jobId: JobId;
  parentId: RunId;
  /** That of the caller; another one, and the run is not opened. */
  parentEpoch: number;
  taskId: TaskId;
  /** Index of the task's step, from 0. */
  step: number;
  /** From 1. */
  attempt: number;
  kind: "agent" | "command";
  /** The name of the node. */
  owner: string;
  /** Of a run that waits for any node: what that needs to know to do it. */
  spec?: unknown;
  at: Date;
}

export interface RunEnd {
  state: "succeeded" | "failed" | "cancelled";
  failure?: Failure | undefined;
  at: Date;
}

/** What is left out keeps its value. */
export interface TaskRecord {
  id: TaskId;
  state?: TaskState;
  resultTree?: string;
  resultCommit?: string;
  keySha?: string;
  /** The data of its last fact. */
  finished?: unknown;
}

/** `also` of one addition; `runId` is whose, `owner` its place in the statement. */
export interface Following {
  runId: string;
  also: readonly Consequences[];
}

const list = <T>(values: readonly T[]) => sql.param(values);

/**
 * Rows of new runs, with their heads where their facts will end; `wanted` counts them. Undefined where there are none.
 * `parents` are locked: whoever takes a job over either finds a run that was opened, or it is not opened any more.
 */
export function openRuns(following: readonly Following[]): SQL | undefined {
  const rows = following.flatMap(({ runId, also }) =>
    also.flatMap(({ opens }) => (opens ? [{ runId, ...opens }] : [])),
  );
  if (rows.length === 0) return undefined;
  return sql`
parents as (
  select r.id, r.epoch from sheaf.runs r
  where r.id = any(${list([...new Set(rows.map((row) => row.parentId))])}::uuid[]) for no key update
), opened as (
  insert into sheaf.runs (id, job_id, parent_id, task_id, step, attempt, kind, state, epoch, owner, head, created_at,
    started_at, spec)
  select o.id, o.job_id, o.parent_id, o.task_id, o.step, o.attempt, o.kind,
    case when o.spec is null then 'running' else 'queued' end, case when o.spec is null then 1 else 0 end,
    case when o.spec is null then o.owner end, w.count, to_timestamp(o.at_ms / 1000),
    case when o.spec is null then to_timestamp(o.at_ms / 1000) end, o.spec
  from unnest(${list(rows.map((row) => row.runId))}::uuid[], ${list(rows.map((row) => row.jobId))}::uuid[],
    ${list(rows.map((row) => row.parentId))}::uuid[], ${list(rows.map((row) => row.parentEpoch))}::int[],
    ${list(rows.map((row) => row.taskId))}::text[],
    ${list(rows.map((row) => row.step))}::int[], ${list(rows.map((row) => row.attempt))}::int[],
    ${list(rows.map((row) => row.kind))}::text[], ${list(rows.map((row) => row.owner))}::text[],
    ${list(rows.map((row) => row.at.getTime()))}::float8[],
    ${list(rows.map(({ spec }) => (spec === undefined ? null : JSON.stringify(spec))))}::json[])
    as o(id, job_id, parent_id, parent_epoch, task_id, step, attempt, kind, owner, at_ms, spec)
  join wanted w on w.run_id = o.id
  join parents p on p.id = o.parent_id and p.epoch = o.parent_epoch
  on conflict do nothing
  returning id, job_id, epoch
), `;
}

/** How runs end, each by the owner who says so: another epoch of its run may be in the statement. Undefined where none does. */
export function endings(following: readonly Following[]): SQL | undefined {
  const rows = following.flatMap(({ also }, owner) => also.flatMap(({ ends }) => (ends ? [{ owner, ...ends }] : [])));
  if (rows.length === 0) return undefined;
  return sql`
  left join unnest(${list(rows.map((row) => row.owner))}::int[], ${list(rows.map((row) => row.state))}::text[],
    ${list(rows.map((row) => (row.failure ? JSON.stringify(row.failure) : null)))}::json[],
    ${list(rows.map((row) => row.at.getTime()))}::float8[]) as e(owner, state, failure, at_ms) on e.owner = w.place - 1`;
}

/** What runs used, added to the books of those in `owned`. Undefined where nothing was. */
export function addUsage(following: readonly Following[]): SQL | undefined {
  const rows = following.flatMap(({ also }, owner) => also.flatMap(({ used }) => (used ? [{ owner, ...used }] : [])));
  if (rows.length === 0) return undefined;
  const counts = (key: keyof UsedModel["usage"]) => list(rows.map(({ usage }) => usage[key] ?? 0));
  return sql`, spent as (
  insert into sheaf.usage as u (tenant, day, model, runs, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, cost_nano_usd, is_cost_known)
  select n.tenant, n.day, n.model, count(*), sum(n.input), sum(n.output), sum(n.cache_read), sum(n.cache_write),
    sum(n.cost), bool_and(n.is_known)
  from unnest(${list(rows.map((row) => row.owner))}::int[], ${list(rows.map((row) => row.tenant))}::text[],
    ${list(rows.map((row) => row.day))}::text[], ${list(rows.map((row) => row.model))}::text[],
    ${counts("input_tokens")}::bigint[], ${counts("output_tokens")}::bigint[],
    ${counts("cache_read_tokens")}::bigint[], ${counts("cache_write_tokens")}::bigint[],
    ${list(rows.map((row) => row.costNanoUsd))}::bigint[], ${list(rows.map((row) => row.isCostKnown))}::bool[])
    as n(owner, tenant, day, model, input, output, cache_read, cache_write, cost, is_known)
  join owned p on p.owner = n.owner
  group by n.tenant, n.day, n.model
  on conflict (tenant, day, model) do update set
    runs = u.runs + excluded.runs,
    input_tokens = u.input_tokens + excluded.input_tokens,
    output_tokens = u.output_tokens + excluded.output_tokens,
    cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens,
    cost_nano_usd = u.cost_nano_usd + excluded.cost_nano_usd,
    is_cost_known = u.is_cost_known and excluded.is_cost_known
)`;
}

/** What became of tasks of the jobs in `owned`. Undefined where nothing is told of any. */
export function noteTasks(following: readonly Following[]): SQL | undefined {
  const rows = following.flatMap(({ also }, owner) => also.flatMap(({ task }) => (task ? [{ owner, ...task }] : [])));
  if (rows.length === 0) return undefined;
  return sql`, noted as (
  update sheaf.tasks as t set
    state = coalesce(n.state, t.state),
    result_tree = coalesce(n.tree, t.result_tree),
    result_commit = coalesce(n.commit, t.result_commit),
    key_sha = coalesce(n.key_sha, t.key_sha),
    finished = coalesce(n.finished, t.finished)
  from unnest(${list(rows.map((row) => row.owner))}::int[], ${list(rows.map((row) => row.id))}::text[],
    ${list(rows.map((row) => row.state ?? null))}::text[], ${list(rows.map((row) => row.resultTree ?? null))}::text[],
    ${list(rows.map((row) => row.resultCommit ?? null))}::text[], ${list(rows.map((row) => row.keySha ?? null))}::text[],
    ${list(rows.map(({ finished }) => (finished === undefined ? null : JSON.stringify(finished))))}::json[])
    as n(owner, id, state, tree, commit, key_sha, finished)
  join owned p on p.owner = n.owner
  where t.job_id = p.job_id and t.id = n.id
)`;
}
