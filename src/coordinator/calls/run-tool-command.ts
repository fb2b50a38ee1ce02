import type { ClaimedRun } from "../../db/claim-run.ts";
import { storeArtifact } from "../../db/store-artifact.ts";
import type { Fact } from "../../protocol/event.ts";
import type { Denial } from "../../protocol/result.ts";
import type { CommandOutcome } from "../../sandbox/driver.ts";
import { attribute, operation, toolSpan } from "../../telemetry/semconv.ts";
import type { Span } from "../../telemetry/thread-tracer.ts";
import { formatTraceparent, parseTraceparent } from "../../telemetry/traceparent.ts";
import { bash } from "../../tools/bash.ts";
import type { Settled } from "../../workspace/settle.ts";
import type { Workspace } from "../../workspace/workspace.ts";
import { inflateFor } from "../commands/inflate-for.ts";
import { runInSandbox } from "../commands/run-in-sandbox.ts";
import type { Around } from "../commands/setup.ts";
import { objectionsTo } from "../landing/allowed-changes.ts";
import type { ThreadEnding } from "../run-in-thread.ts";
import type { StepOrder } from "../tasks/step-order.ts";
import type { AllowedCall } from "./call-book.ts";
import { showCommand, shownOutput } from "./tool-command-text.ts";

/**
 * Runs a command that an agent asked for and was allowed: what the log says that call is, in the whole checkout of its
 * workspace. What it changes outside the run's scope is put back and told, and the receipt is written here: nobody
 * writes evidence about itself.
 */
export interface CommandPlace extends Around {
  run: ClaimedRun;
  order: StepOrder;
  workspace: Workspace;
  /** Aborted when the run is over; its reason is a `RunEnded`. */
  signal: AbortSignal;
  /** Runs an agent that this one starts, in the same files; it ends with this one at the latest. */
  runAgent(run: ClaimedRun, order: StepOrder): Promise<ThreadEnding>;
}

/** Why a command ends before it would have. */
export class RunEnded extends Error {}

export interface Told {
  content: string;
  isError: boolean;
  denials: Omit<Denial, "task">[];
  /** Holds all of what the agent is shown the ends of. */
  artifact?: string;
  /** The files are others than before. */
  hasChanged?: boolean;
}

/** Throws SetupFailed, and Fault where Sheaf itself cannot go on. */
export async function runToolCommand(command: AllowedCall<"command">, place: CommandPlace): Promise<Told> {
  const span = startSpan(command, place);
  try {
    const { isWithoutGit } = await inflateFor(place);
    const { value: seen, settled } = await place.workspace.settleAfter(
      () => runUnlessEnded(command, { place, span, isWithoutGit }),
      (changes) => objectionsTo(changes, place.order.scope, place),
    );
    return await report(command, { seen, settled, span }, place);
  } finally {
    span.end({ status: "error", message: "stopped" });
  }
}

export function startSpan({ callId, tool, decision, spanId }: AllowedCall, { job, order, run }: CommandPlace): Span {
  const parent = formatTraceparent({ traceId: job.span.traceId, spanId: spanId ?? "", isSampled: true });
  return job.tracer.start(toolSpan(tool), {
    parent: parseTraceparent(parent) ? parent : job.span,
    attributes: {
      [attribute.operation]: operation.tool,
      [attribute.toolName]: tool,
      [attribute.toolType]: "function",
      [attribute.toolCallId]: callId,
      [attribute.taskId]: order.task.id,
      [attribute.conversationId]: run.runId,
      [attribute.decision]: decision.effect,
      [attribute.rule]: decision.rule,
    },
  });
}

/** The job's or the run's end is no failure of Sheaf's: what the command did until then is still settled and told. */
async function runUnlessEnded(
  { text, timeoutMs }: AllowedCall<"command">,
  { place, span, isWithoutGit }: { place: CommandPlace; span: Span; isWithoutGit: boolean },
): Promise<CommandOutcome | undefined> {
  const { order, workspace, job, signal } = place;
  const { network, secrets } = order.step;
  const { traceparent } = span;
  const run = ["/bin/sh", "-c", inBash, text];
  const where = { cwd: workspace.root, timeoutMs, network, secrets, traceparent, signal, isWithoutGit };
  try {
    return await runInSandbox({ what: "the bash tool", run, ...where }, place);
  } catch (thrown) {
    if (signal.aborted || job.signal.aborted) return undefined;
    throw thrown;
  }
}

/** A few systems have no bash. */
const inBash = 'command -v bash >/dev/null 2>&1 && exec bash -c "$0"; exec /bin/sh -c "$0"';

/** Most paths told one by one in the log. */
const mostTold = 100;

async function report(
  { callId, text }: AllowedCall<"command">,
  { seen, settled, span }: { seen: CommandOutcome | undefined; settled: Settled; span: Span },
  { run, job, equipment }: CommandPlace,
): Promise<Told> {
  const output = equipment.redact(seen?.output.toString() ?? "");
  const sha256 = await storeArtifact(Buffer.from(output), "text/plain", equipment.database);
  const isError = seen?.exit !== 0 || seen.isTimedOut || settled.putBack.length > 0;
  const receipt = {
    command: equipment.redact(text),
    exit: seen?.exit ?? null,
    signal: seen?.signal ?? null,
    timed_out: seen?.isTimedOut ?? false,
    stopped: seen === undefined,
    duration_ms: Math.round(seen?.durationMs ?? 0),
    tree_before: settled.treeBefore,
    tree_after: settled.tree,
    files_changed: settled.filesChanged,
    put_back: settled.putBack.length,
    output_sha256: sha256,
  };
  span.set({
    [attribute.exitCode]: seen?.exit ?? undefined,
    [attribute.durationMs]: seen?.durationMs,
    [attribute.treeBefore]: settled.treeBefore,
    [attribute.treeAfter]: settled.tree,
  });
  const content = equipment.redact(
    showCommand({ seen, putBack: settled.putBack, output: shownOutput(output, sha256) }),
  );
  span.end(isError ? { status: "error", message: content.slice(0, 200) } : {});
  const denied = settled.putBack
    .slice(0, mostTold)
    .map(({ path, rule, source, reason }) => ({ tool: bash.name, input: path, rule, source, reason }));
  const finished = { call_id: callId, tool: bash.name, is_error: isError, content, receipt };
  const facts: Fact[] = denied.map((denial) => ({ type: "tool.denied", data: { call_id: callId, ...denial } }));
  // Of one call the first is what its agent is told.
  await job.logRun(run, [{ type: "tool.finished", data: finished }, ...facts], span.spanId);
  return {
    content,
    isError,
    denials: denied.map(({ source: _, ...denial }) => denial),
    artifact: sha256,
    hasChanged: settled.treeBefore !== settled.tree,
  };
}
