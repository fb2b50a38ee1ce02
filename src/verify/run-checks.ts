import type { Fact } from "../protocol/event.ts";
import type { CommandCheck } from "../protocol/job.ts";
import type { CheckResult } from "../protocol/result.ts";
import type { Sandbox } from "../sandbox/driver.ts";
import { judgeCheck, needsBase, type Observation } from "./judge-check.ts";

/**
 * Runs the job's checks on a tree, in a clean workspace, and on the base where the answer depends on it. The intent
 * is logged before a command starts. One tree is checked out once, one check runs on one tree once.
 */
export interface CheckView {
  sandbox: Sandbox;
  /** A clean checkout of a tree, there until disposed. */
  checkout(tree: string): Promise<{ root: string; dispose(): Promise<void> }>;
  log(facts: readonly Fact[]): Promise<void>;
  /** Stores the captured output; returns its id. */
  keep(output: Buffer): Promise<string>;
  /** Wraps one command in its span; gets the trace context to hand to the command. */
  traced(check: CommandCheck, tree: string, run: (traceparent: string) => Promise<Observation>): Promise<Observation>;
  /** Takes secrets out of the output before it is kept or shown. */
  redact(text: string): string;
  signal: AbortSignal;
}

export async function runChecks(
  checks: readonly CommandCheck[],
  trees: { after: string; base: string },
  view: CheckView,
): Promise<CheckResult[]> {
  const after = await observeAll(checks, trees.after, view);
  const before = trees.after === trees.base ? after : await observeBase(checks, after, { tree: trees.base, view });
  return checks.flatMap((check, index) => {
    const seen = after[index];
    return seen ? [judgeCheck(check, seen, before[index])] : [];
  });
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
  return last < 0 ? [] : observeAll(checks.slice(0, last + 1), tree, view);
}

async function observeAll(checks: readonly CommandCheck[], tree: string, view: CheckView): Promise<Observation[]> {
  const checkout = await view.checkout(tree);
  try {
    const seen: Observation[] = [];
    for (const check of checks) {
      seen.push(
        await view.traced(check, tree, (traceparent) => observe(check, tree, checkout.root, { view, traceparent })),
      );
    }
    return seen;
  } finally {
    await checkout.dispose();
  }
}

async function observe(
  check: CommandCheck,
  tree: string,
  cwd: string,
  { view, traceparent }: { view: CheckView; traceparent: string },
): Promise<Observation> {
  await view.log([{ type: "check.started", data: { name: check.name, tree, run: check.run } }]);
  const command = { run: check.run, cwd, timeoutMs: check.timeout_ms, traceparent, signal: view.signal };
  const { exit, signal, isTimedOut, durationMs, output: raw } = await view.sandbox.run(command);
  const output = view.redact(raw.toString());
  const data = { name: check.name, tree, exit, signal, timed_out: isTimedOut, duration_ms: durationMs };
  await view.log([{ type: "check.finished", data: { ...data, output: await view.keep(Buffer.from(output)) } }]);
  return { tree, exit, signal, isTimedOut, durationMs, tail: tailOf(output) };
}

/** The last lines a person wants to see first. */
function tailOf(output: string): string {
  return output.slice(-4_000).split("\n").slice(-30).join("\n").trim();
}
