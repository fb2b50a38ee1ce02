import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import { type Addition, appendFacts, type Row } from "./append-facts.ts";
import { attempt } from "./attempt.ts";
import { complaint } from "./complaint.ts";
import type { Consequences } from "./consequences.ts";
import { type Database, type Orm, rowsOf } from "./database.ts";
import { sql } from "./drizzle.ts";
import { examine, type Finding } from "./examine.ts";

/** One call of append, waiting for its answer. */
export interface Pending {
  runId: string;
  epoch: number;
  rows: readonly Row[];
  also?: Consequences | undefined;
  bytes: number;
  isAnswered: boolean;
  resolve(answer: { firstSeq: number }): void;
  reject(fault: Fault): void;
}

/** The heads of runs, as this writer last saw them. A wrong one costs a second statement, never a fact. */
export type Heads = Map<string, number>;

const mostHeads = 20_000;
const mostMoves = 20;

/**
 * Commits appends in their order and answers each of them; never throws. What the database rejects for its value
 * (a character that it cannot hold, say) is found by trying one by one, so it fails alone.
 */
export async function commitAdditions(batch: readonly Pending[], heads: Heads, database: Database): Promise<void> {
  try {
    if (heads.size > mostHeads) heads.clear();
    await settle(byRun(batch), heads, database);
  } catch (thrown) {
    const open = batch.filter((each) => !each.isAnswered);
    if (open.length === 1 || !isAboutOne(thrown)) return refuse(open, heads, thrown);
    for (const each of open) await commitAdditions([each], heads, database);
  }
}

/** All appends of one run and epoch, in order. */
interface Group {
  runId: string;
  epoch: number;
  pending: Pending[];
  rows: Row[];
  also: Consequences[];
}

function byRun(batch: readonly Pending[]): Group[] {
  const groups = new Map<string, Group>();
  for (const each of batch) {
    const key = keyOf(each);
    const group = groups.get(key) ?? { runId: each.runId, epoch: each.epoch, pending: [], rows: [], also: [] };
    group.pending.push(each);
    group.rows.push(...each.rows);
    if (each.also) group.also.push(each.also);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function keyOf(run: { runId: string; epoch: number }): string {
  return `${run.runId} ${run.epoch}`;
}

async function settle(groups: readonly Group[], heads: Heads, database: Database): Promise<void> {
  let left = groups;
  for (let round = 0; left.length > 0; round++) {
    if (round === mostMoves) throw new Fault("conflict", "a run's log kept moving under its owner");
    left = await settleOnce(left, heads, database);
  }
}

/**
 * Writes what it can and returns the groups whose head was wrong. Each step is repeated by itself when the connection
 * breaks, the writing one with the same ids at the same places, so a lost acknowledgement doubles nothing.
 */
async function settleOnce(groups: readonly Group[], heads: Heads, database: Database): Promise<Group[]> {
  await attempt("read the heads of runs", database, (orm) => learnHeads(groups, heads, orm));
  const additions = groups.map((group) => ({ ...group, head: heads.get(keyOf(group)) ?? 0 }));
  const done = await attempt("append events", database, (orm) => appendFacts(additions, orm));
  for (const index of done) acknowledge(additions[index], heads);
  const open = additions.filter((_, index) => !done.has(index));
  if (open.length === 0) return [];
  const findings = await attempt("look for appended events", database, (orm) => examine(open, orm));
  return open.filter((each, index) => followUp(each, findings[index], heads));
}

/** Answers what is decided; true when it is to be tried again at another head. */
function followUp(addition: Group & Addition, finding: Finding | undefined, heads: Heads): boolean {
  if (finding?.is === "written") acknowledge(addition, heads);
  if (finding?.is === "refused") refuse(addition.pending, heads, finding.fault);
  if (finding?.is !== "moved") return false;
  heads.set(keyOf(addition), finding.head);
  return true;
}

async function learnHeads(groups: readonly Group[], heads: Heads, orm: Orm): Promise<void> {
  // The log of a new run is empty.
  const unknown = groups.filter((group) => !heads.has(keyOf(group)) && !group.also.some(({ opens }) => opens));
  if (unknown.length === 0) return;
  const found = await rowsOf(
    orm,
    sql`select id, head from sheaf.runs where id = any(${sql.param(unknown.map((group) => group.runId))}::uuid[])`,
    z.object({ id: z.string(), head: z.coerce.number() }),
  );
  const byId = new Map(found.map((row) => [row.id, row.head]));
  for (const group of unknown) heads.set(keyOf(group), byId.get(group.runId) ?? 0);
}

function acknowledge(addition: (Group & Addition) | undefined, heads: Heads): void {
  if (!addition) return;
  let next = addition.head + 1;
  for (const each of addition.pending) {
    each.isAnswered = true;
    each.resolve({ firstSeq: next });
    next += each.rows.length;
  }
  heads.set(keyOf(addition), next - 1);
}

function refuse(pending: readonly Pending[], heads: Heads, thrown: unknown): void {
  const fault = thrown instanceof Fault ? thrown : new Fault("internal", String(thrown), { cause: thrown });
  for (const each of pending) {
    heads.delete(keyOf(each));
    each.isAnswered = true;
    each.reject(fault);
  }
}

/** Whether a statement failed for a value in it, which is then the fault of one append and not of the others. */
function isAboutOne(thrown: unknown): boolean {
  return thrown instanceof Fault && complaint(thrown.cause).kind === "value";
}
