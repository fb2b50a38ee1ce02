import type { ClaimedRun } from "../../db/claim-run.ts";
import { readsAll } from "../../permission/reads-all.ts";
import { parsePattern } from "../../permission/rule.ts";
import { startedScope } from "../../permission/started-scope.ts";
import type { AgentSpec } from "../../protocol/agent.ts";
import type { Fact } from "../../protocol/event.ts";
import { type Failure, Fault, toFailure } from "../../protocol/failure.ts";
import type { PathPattern, Scope } from "../../protocol/scope.ts";
import type { Span } from "../../telemetry/thread-tracer.ts";
import { bash } from "../../tools/bash.ts";
import { toolNames } from "../../tools/catalog.ts";
import type { TakenTree } from "../../workspace/workspace.ts";
import { beginRun, endRun } from "../tasks/claimed-run.ts";
import type { FinishedRun, StepOrder } from "../tasks/step-order.ts";
import type { AllowedCall } from "./call-book.ts";
import { startableBy, withOutsideTools } from "./outside-tools.ts";
import { type CommandPlace, startSpan, type Told } from "./run-tool-command.ts";
import { showFinished } from "./started-agent-text.ts";

/**
 * Starts an agent for another one, which waits for it: a run of its own, with a log of its own, in the files of the one
 * that asked. It may do what that one could give away, and less by its own definition; its end is told and believed no
 * more than any agent's: the tree decides.
 */
export async function runAgentCall(call: AllowedCall<"agent">, place: CommandPlace): Promise<Told> {
  const span = startSpan(call, place);
  try {
    const wanted = orderFor(call, place, span);
    if ("problem" in wanted) return await tell(call, { content: wanted.problem, isError: true, span }, place);
    const { order, failure } = await withOutsideTools(await withPossibleCommands(wanted, place), place);
    const run = await beginRun(order, { kind: "agent", name: call.name, parent: place.run }, place);
    const { finished, filesChanged } = await runWithin(run, { order, failure }, place);
    // What a person let it write is in its caller's files now, and part of the same work.
    place.job.questions.allowEdits(place.run.runId, finished.approved ?? []);
    const { state } = finished.report;
    const content = place.equipment.redact(showFinished(call.name, finished.report, filesChanged));
    const receipt = { run_id: run.runId, state, files_changed: filesChanged };
    const told = await tell(call, { content, isError: state !== "succeeded", span, receipt }, place);
    return { ...told, denials: [...finished.denials], hasChanged: filesChanged > 0 };
  } finally {
    span.end({ status: "error", message: "stopped" });
  }
}

interface Reply {
  content: string;
  isError: boolean;
  span: Span;
  receipt?: Record<string, unknown>;
}

async function tell(
  { callId, tool }: AllowedCall,
  { span, ...reply }: Reply,
  { job, run }: CommandPlace,
): Promise<Told> {
  const { content, isError, receipt } = reply;
  const data = { call_id: callId, tool, is_error: isError, content, ...(receipt ? { receipt } : {}) };
  span.end(isError ? { status: "error", message: content.slice(0, 200) } : {});
  await job.logRun(run, [{ type: "tool.finished", data } satisfies Fact], span.spanId);
  return { content, isError, denials: [] };
}

const usualAgents = 8;
/** How many each run has started. */
const started = new WeakMap<ClaimedRun, number>();

/** One more, by this process or by one before it. */
export function noteStarted(run: ClaimedRun): void {
  started.set(run, (started.get(run) ?? 0) + 1);
}

function orderFor(call: AllowedCall<"agent">, place: CommandPlace, span: Span): StepOrder | { problem: string } {
  const { job, run, order } = place;
  const possible = startableBy(order, place);
  const agent = possible.find(({ name }) => name === call.name);
  if (!agent) return { problem: `there is no agent ${call.name} to start; ${namesOf(possible)}` };
  const most = job.spec.limits.agents ?? usualAgents;
  const count = (started.get(run) ?? 0) + 1;
  if (count > most)
    return { problem: `all ${most} agents that one run may start have been started; do the rest yourself` };
  const writes = patternsOf(call.writes);
  if (writes && "problem" in writes) return writes;
  noteStarted(run);
  const scope = scopeFor(agent, writes, place);
  const { outside: _outside, earlier: _earlier, judgePlan: _judge, past: _past, ...rest } = order;
  const { network, secrets } = order.step;
  const step = { kind: "agent" as const, agent, prompt: call.prompt, ...(network ? { network } : {}) };
  const depth = (order.depth ?? 1) + 1;
  return { ...rest, scope, step: { ...step, ...(secrets ? { secrets } : {}) }, depth, isAlone: false, parent: span };
}

function namesOf(agents: readonly AgentSpec[]): string {
  return agents.length === 0
    ? "none can be started here"
    : `those there are: ${agents.map(({ name }) => name).join(", ")}`;
}

function patternsOf(writes: readonly string[] | undefined): readonly PathPattern[] | { problem: string } | undefined {
  try {
    return writes?.map((glob) => parsePattern(glob));
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return { problem: `writes: ${thrown.message}` };
  }
}

function scopeFor(agent: AgentSpec, writes: readonly PathPattern[] | undefined, { job, order }: CommandPlace): Scope {
  const servers = (job.spec.servers ?? []).map(({ name }) => name);
  const tools = agent.tools ? toolNames.filter((name) => agent.tools?.includes(name)) : toolNames;
  return startedScope(order.scope, { agent, writes, servers, tools });
}

/**
 * Its commands run in the checkout of its caller, which holds what the one that runs the first command may read: so it
 * is given none where either may not read everything.
 */
async function withPossibleCommands(order: StepOrder, place: CommandPlace): Promise<StepOrder> {
  const { scope } = order;
  if (!scope.tools.includes(bash.name)) return order;
  const isHeld = readsAll(scope) && readsAll(place.order.scope);
  if (isHeld && !("unavailable" in (await place.equipment.sandbox()))) return order;
  return { ...order, scope: { ...scope, tools: scope.tools.filter((name) => name !== bash.name) } };
}

interface Begun {
  order: StepOrder;
  /** Why it cannot begin. */
  failure?: Failure | undefined;
}

async function runWithin(
  run: ClaimedRun,
  { order, failure }: Begun,
  place: CommandPlace,
): Promise<{ finished: FinishedRun; filesChanged: number }> {
  const { workspace } = place;
  try {
    const before = await workspace.takeTree();
    const ending = failure ? unbegun(failure) : await place.runAgent(run, order);
    const taken = await workspace.takeTree();
    const finished: FinishedRun = { ...ending, taken };
    await endRun(run, finished, place);
    return { finished, filesChanged: changedBetween(before, taken) };
  } catch (thrown) {
    // It is the end of its caller too, which says so; where the log cannot be written, that is what there is to say.
    await endRun(run, unbegun(toFailure(thrown)), place).catch(() => {});
    throw thrown;
  }
}

function unbegun(failure: Failure): FinishedRun {
  const usage = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };
  return { report: { state: "failed", failure, turns: 0, usage }, denials: [], hasThreadDied: false };
}

/** Both are against the same base. */
function changedBetween(before: TakenTree, after: TakenTree): number {
  const versions = ({ touched }: TakenTree) =>
    new Map(touched.map(({ path, after: now }) => [path, JSON.stringify(now)]));
  const [one, other] = [versions(before), versions(after)];
  const paths = new Set([...one.keys(), ...other.keys()]);
  return [...paths].filter((path) => one.get(path) !== other.get(path)).length;
}
