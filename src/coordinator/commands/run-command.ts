import { join } from "node:path";
import type { ClaimedRun } from "../../db/claim-run.ts";
import { storeArtifact } from "../../db/store-artifact.ts";
import { commandEnvironment } from "../../job/command-environment.ts";
import type { Fact } from "../../protocol/event.ts";
import { type Failure, Fault, toFailure } from "../../protocol/failure.ts";
import { newUuid } from "../../protocol/ids.ts";
import { noUsage } from "../../protocol/message.ts";
import type { Denial } from "../../protocol/result.ts";
import type { RunReport } from "../../protocol/thread.ts";
import { commandText, describeEnding, lastLines } from "../../sandbox/command-ending.ts";
import type { CommandOutcome } from "../../sandbox/driver.ts";
import { attribute, toolSpan } from "../../telemetry/semconv.ts";
import { toShown } from "../../workspace/raw-path.ts";
import { writeTree } from "../../workspace/tree.ts";
import { Unsettled } from "../../workspace/unsettled.ts";
import { createWorkingCheckout, type WorkingCheckout } from "../../workspace/working-checkout.ts";
import type { TakenTree } from "../../workspace/workspace.ts";
import { endOfOutput, type FailedCommand } from "../brief/earlier-steps.ts";
import { JobStopped } from "../job.ts";
import { objectionsTo } from "../landing/allowed-changes.ts";
import { requireSandbox } from "../refuse-unrunnable.ts";
import { beginRun, endRun } from "../tasks/claimed-run.ts";
import { clearAway } from "../tasks/clear-away.ts";
import type { CommandOrder, FinishedRun } from "../tasks/step-order.ts";
import { failureOf } from "./command-failure.ts";
import { runInSandbox } from "./run-in-sandbox.ts";
import { secretFinder } from "./secret-finder.ts";
import { type Around, prepareCheckout } from "./setup.ts";
import { SetupFailed } from "./setup-failed.ts";

/**
 * A step that is a command: a run of its own, in a whole checkout, never in a thread. What it reports is believed as
 * little as an agent's word: the tree it leaves is taken, and what it had no right to write is put back and told.
 */
export async function runCommand(order: CommandOrder, around: Around): Promise<FinishedRun> {
  const name = commandText(order.step.run).slice(0, 200);
  const run = await beginRun(order, { kind: "command", name }, around);
  const finished = await inCheckout(run, order, around).catch((thrown: unknown) => endedBy(thrown, around));
  await endRun(run, finished, around);
  return finished;
}

/** A stop of the job and a setup that fails are ends of the run; anything else is Sheaf's own failure. */
function endedBy(thrown: unknown, { job: { signal } }: Around): FinishedRun {
  if (signal.aborted && signal.reason instanceof JobStopped) {
    return unfinished({ state: "cancelled", failure: signal.reason.failure });
  }
  if (thrown instanceof Unsettled) return unfinished({ state: "failed", failure: toFailure(thrown) });
  if (!(thrown instanceof SetupFailed)) throw thrown;
  const { log = "", ...failure } = thrown.reason;
  return { ...unfinished({ state: "failed", failure }), tail: log, ...(thrown.isAtBase ? { endsJob: thrown } : {}) };
}

function unfinished(said: Pick<RunReport, "state"> & { failure: Failure }): FinishedRun {
  return { report: { ...said, turns: 0, usage: noUsage }, denials: [], hasThreadDied: false };
}

async function inCheckout(run: ClaimedRun, order: CommandOrder, around: Around): Promise<FinishedRun> {
  const { job, equipment } = around;
  const directory = join(equipment.home, "checkouts", newUuid(equipment.clock));
  const prepare = job.spec.setup && ((root: string) => prepareFor(root, order, around));
  const checkout = await createWorkingCheckout(job.repository, {
    directory,
    tree: order.tree,
    isSecret: secretFinder(around),
    ...(prepare ? { prepare } : {}),
  });
  try {
    const { seen, traceparent } = await execute(run, order, checkout.root, around);
    const { taken, denials } = await takeAllowed(checkout, order, around);
    await report(run, { order, seen, taken, denials }, around);
    const failure = failureOf(order, seen, denials);
    const state = failure ? "failed" : "succeeded";
    const hasEndedWell = seen.exit === 0 && !seen.isTimedOut;
    return {
      report: { state, ...(failure ? { failure } : {}), turns: 0, usage: noUsage, traceparent },
      taken,
      denials,
      hasThreadDied: false,
      hasEndedWell,
      ...(failure || hasEndedWell ? {} : { failed: failedCommand(order, seen, equipment) }),
      ...(failure && denials.length === 0 ? { tail: lastLines(equipment.redact(seen.output.toString())) } : {}),
    };
  } finally {
    await clearAway(checkout, equipment);
  }
}

function failedCommand({ step }: CommandOrder, seen: CommandOutcome, { redact }: Around["equipment"]): FailedCommand {
  const text = commandText(step.run).replace(/\s+/g, " ").slice(0, 500);
  return { text, ending: describeEnding(seen), output: endOfOutput(redact(seen.output.toString())) };
}

/** Handed over at once, so that what was prepared looks from now on as it does to the command. */
async function prepareFor(root: string, { tree }: CommandOrder, around: Around): Promise<void> {
  await prepareCheckout(root, tree, around);
  await (await requireSandbox(around.equipment, "a step")).handOver(root);
}

const callId = "command";

/** The intent first, then the command. */
async function execute(run: ClaimedRun, { task, step, tree }: CommandOrder, cwd: string, around: Around) {
  const { job } = around;
  const attributes = {
    [attribute.taskId]: task.id,
    [attribute.conversationId]: run.runId,
    [attribute.toolName]: "command",
    [attribute.treeBefore]: tree,
  };
  const span = job.tracer.start(toolSpan("command"), { parent: job.span, attributes });
  const intended = { call_id: callId, tool: "command", rule: "job file" };
  await job.logRun(run, [{ type: "tool.intended", data: intended }], span.spanId);
  const { run: command, timeout_ms: timeoutMs, network, secrets } = step;
  const env = commandEnvironment(task, job.spec.inputs);
  const { traceparent } = span;
  try {
    const order = { what: "a step", run: command, cwd, timeoutMs, env, network, secrets, traceparent };
    const seen = await runInSandbox(order, around);
    span.set({ [attribute.exitCode]: seen.exit ?? undefined, [attribute.durationMs]: seen.durationMs });
    span.end(seen.exit === 0 ? {} : { status: "error", message: describeEnding(seen) });
    return { seen, traceparent };
  } finally {
    span.end({ status: "error", message: "stopped" });
  }
}

/** The tree without what the command had no right to write: those paths are as they were before it. */
async function takeAllowed(
  checkout: WorkingCheckout,
  { scope, tree }: CommandOrder,
  around: Around,
): Promise<{ taken: TakenTree; denials: Omit<Denial, "task">[] }> {
  const { repository } = around.job;
  const taken = await checkout.takeTree();
  const objections = await objectionsTo(taken.touched, scope, around);
  const allowed = taken.touched.filter(({ path }) => !objections.has(path));
  const denials = [
    ...Array.from(objections, ([path, { rule, reason }]) => ({ tool: "command", input: toShown(path), rule, reason })),
    ...taken.refused.map(({ path, rule = "workspace", reason }) => ({ tool: "command", input: path, rule, reason })),
  ];
  const changes = allowed.map(({ path, after }) => ({ path, mode: after?.mode ?? null, oid: after?.oid ?? null }));
  if (objections.size === 0) return { taken: { ...taken, ignored: [], refused: [] }, denials };
  const kept = await writeTree(repository, tree, changes).catch(notWithout);
  const left = kept === undefined ? { tree, touched: [] } : { tree: kept, touched: allowed };
  return { taken: { ...left, ignored: [], refused: [] }, denials };
}

/** A folder in the place of a file that had to stay: then nothing of it can be kept. */
function notWithout(cause: unknown): undefined {
  if (!(cause instanceof Fault && cause.code === "conflict")) throw cause;
  return undefined;
}

/** Most denials told one by one in the log, and most output in it; the rest is counted, and kept as an artifact. */
const mostTold = 100;
const mostOutput = 16_000;

async function report(
  run: ClaimedRun,
  ended: { order: CommandOrder; seen: CommandOutcome; taken: TakenTree; denials: readonly Omit<Denial, "task">[] },
  { job, equipment }: Around,
): Promise<void> {
  const { order, seen, taken, denials } = ended;
  const { exit, signal, isTimedOut, durationMs } = seen;
  const output = equipment.redact(seen.output.toString());
  const receipt = {
    run: order.step.run,
    exit,
    signal,
    timed_out: isTimedOut,
    duration_ms: Math.round(durationMs),
    tree_before: order.tree,
    tree_after: taken.tree,
    files_changed: taken.touched.length,
    put_back: denials.length,
    output_sha256: await storeArtifact(Buffer.from(output), "text/plain", equipment.database),
    output: output.length <= mostOutput ? output : `... ${output.slice(-mostOutput)}`,
  };
  const isError = exit !== 0 || isTimedOut || denials.length > 0;
  const finished = { call_id: callId, tool: "command", is_error: isError, content: JSON.stringify(receipt, null, 2) };
  const denied = denials
    .slice(0, mostTold)
    .map((denial): Fact => ({ type: "tool.denied", data: { call_id: callId, source: "task", ...denial } }));
  await job.logRun(run, [...denied, { type: "tool.finished", data: finished }]);
}
