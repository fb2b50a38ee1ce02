import type { Check, CommandCheck } from "../protocol/check.ts";
import type { Fact } from "../protocol/event.ts";
import type { TaskId } from "../protocol/ids.ts";
import type { CheckResult } from "../protocol/result.ts";
import type { ScanQuery, ScanReport } from "../protocol/scan.ts";
import type { PathPattern } from "../protocol/scope.ts";
import type { CommandOutcome } from "../sandbox/driver.ts";
import { checkAbsent } from "./absent.ts";
import { judgeCheck, needsBase, type Observation } from "./judge-check.ts";
import { observe } from "./observe.ts";

/**
 * Runs the job's checks on a tree, and on the base where the answer depends on it. The intent is logged before a command
 * starts. Commands of one tree run in order in one clean checkout; a check that only looks needs neither.
 */
export interface CheckView {
  /**
   * Runs a check's command in a checkout; `place` is where it saw that. Throws Fault `sandbox_unavailable` where none may
   * run.
   */
  run(check: CommandCheck, at: CheckRun): Promise<CommandOutcome & { place: string }>;
  /** A clean checkout of a tree, made ready for commands, there until disposed. Its root is canonical. */
  checkout(tree: string): Promise<{ root: string; dispose(): Promise<void> }>;
  /** Looks for text in the files of a tree (those that `paths` covers), in threads. */
  scan(tree: string, query: ScanQuery, paths: PathPattern | undefined): Promise<ScanReport>;
  log(facts: readonly Fact[]): Promise<void>;
  /** Stores the captured output; returns its id. */
  keep(output: Buffer): Promise<string>;
  /** Wraps one look at a tree in its span; gets the trace context to hand to a command. */
  traced(check: Check, tree: string, run: (traceparent: string) => Promise<Observation>): Promise<Observation>;
  /** Takes secrets out of what is kept or shown. */
  redact(text: string): string;
  /** Milliseconds. */
  now(): number;
  signal: AbortSignal;
  /** Of a task's own tree: the task, for facts and results. `scan` then looks only at what the task is about. */
  task?: TaskId;
}

export interface CheckRun {
  root: string;
  traceparent: string;
  /** See `Command.stdoutBytes`. */
  stdoutBytes?: number;
}

/**
 * One result for each check, in their order. Where nothing changed, a check for new failures has nothing to say and is
 * skipped; the others are about the tree itself and always due: a job that was to mend something and did nothing is red,
 * unless there was nothing to mend.
 */
export async function runChecks(
  checks: readonly Check[],
  trees: { after: string; base: string },
  view: CheckView,
): Promise<CheckResult[]> {
  const isSame = trees.after === trees.base;
  const isDue = (check: Check) => !isSame || check.kind === "absent" || check.expect !== "no-new-failures";
  const results = new Map<Check, CheckResult>();
  for (const check of checks) {
    if (!isDue(check)) results.set(check, skipped(check, trees.after));
    else if (check.kind === "absent") results.set(check, await checkAbsent(check, trees.after, view));
  }
  const commands = checks.flatMap((check) => (check.kind === "command" && isDue(check) ? [check] : []));
  for (const [check, result] of await runCommands(commands, trees, view)) results.set(check, result);
  const task = view.task === undefined ? {} : { task: view.task };
  return checks.flatMap((check) => results.get(check) ?? []).map((result) => ({ ...result, ...task }));
}

/** What one command check shows of a tree, those before it having run there too. For `split: findings`. */
export async function observeCheck(
  check: CommandCheck,
  { before, tree }: { before: readonly CommandCheck[]; tree: string },
  view: CheckView,
): Promise<Observation | undefined> {
  return (await observeAll([...before, check], { tree, retries: () => check.retries, view })).at(-1);
}

/** What each of these shows of a tree, run in their order in one checkout. */
export function observeChecks(checks: readonly CommandCheck[], tree: string, view: CheckView): Promise<Observation[]> {
  return observeAll(checks, { tree, retries: (check) => check.retries, view });
}

async function runCommands(
  checks: readonly CommandCheck[],
  trees: { after: string; base: string },
  view: CheckView,
): Promise<[Check, CheckResult][]> {
  if (checks.length === 0) return [];
  const after = await observeAll(checks, { tree: trees.after, retries: (check) => check.retries, view });
  const before = trees.after === trees.base ? after : await observeBase(checks, after, { tree: trees.base, view });
  return checks.flatMap((check, index): [Check, CheckResult][] => {
    const seen = after[index];
    if (!seen) return [];
    const isMended = trees.after === trees.base && isAboutMending(check) && isGreen(check, seen);
    const judged = isMended
      ? skipped(check, trees.after, "nothing changed, and there is nothing to mend")
      : judgeCheck(check, seen, before[index]);
    return [[check, redacted(judged, view)]];
  });
}

function isAboutMending({ expect }: CommandCheck): boolean {
  return expect === "fixed" || expect === "fewer";
}

function isGreen(check: CommandCheck, seen: Observation): boolean {
  return judgeCheck({ ...check, expect: "pass" }, seen, undefined).state === "passed";
}

/** Checks run in order in one checkout, so a doubtful one needs those before it at the base as well. */
async function observeBase(
  checks: readonly CommandCheck[],
  after: readonly Observation[],
  { tree, view }: { tree: string; view: CheckView },
): Promise<Observation[]> {
  const last = checks.findLastIndex((check, index) => {
    const seen = after[index];
    return seen !== undefined && needsBase(check, seen);
  });
  // A test that was red there once is no new failure; but one that is red there only sometimes was not there to fix.
  const retries = (check: CommandCheck) => (check.expect === "no-new-failures" ? 0 : check.retries);
  return last < 0 ? [] : observeAll(checks.slice(0, last + 1), { tree, retries, view });
}

async function observeAll(
  checks: readonly CommandCheck[],
  { tree, retries, view }: { tree: string; retries: (check: CommandCheck) => number; view: CheckView },
): Promise<Observation[]> {
  const checkout = await view.checkout(tree);
  try {
    const seen: Observation[] = [];
    for (const check of checks) {
      seen.push(await observe(check, { tree, root: checkout.root, retries: retries(check) }, view));
    }
    return seen;
  } finally {
    await checkout.dispose();
  }
}

function redacted(result: CheckResult, view: CheckView): CheckResult {
  return {
    ...result,
    ...(result.detail === undefined ? {} : { detail: view.redact(result.detail) }),
    ...(result.failing ? { failing: result.failing.map((name) => view.redact(name)) } : {}),
  };
}

function skipped(check: Check, tree: string, detail = "nothing changed, so nothing new can have broken"): CheckResult {
  const nothing = { duration_ms: 0, new_failures: null, base_failures: null };
  return { name: check.name, at: tree, state: "skipped", ...nothing, detail };
}
