import { type Contained, isEscape } from "../files/contain.ts";
import type { Files } from "../files/files.ts";
import { decide, mayHoldAllowed } from "../permission/decide.ts";
import type { Submission } from "../protocol/claim.ts";
import type { ThreadFact } from "../protocol/event.ts";
import { toFailure } from "../protocol/failure.ts";
import type { ToolResult, ToolUse } from "../protocol/message.ts";
import type { Decision, Scope } from "../protocol/scope.ts";
import { attribute, operation, toolSpan } from "../telemetry/semconv.ts";
import type { Span, Tracer } from "../telemetry/thread-tracer.ts";
import { denialText } from "../transcript/denial-text.ts";
import type { Asking } from "./asking.ts";
import { toolNamed } from "./catalog.ts";
import { decidePaths, type Judgement } from "./decide-paths.ts";
import { cut, fitResult } from "./fit-result.ts";
import { guardScripts } from "./guard-scripts.ts";
import { notOffered, shortInput } from "./judge.ts";
import { failed, type OpenedCall, type RunContext, type Tool, type ToolOutcome } from "./tool.ts";

/**
 * The one way a tool runs in a thread. It checks the input, has every path decided, runs the tool inside a span, cuts
 * what is too long, and makes the fact for the log. Nothing is thrown past it but a malformed trace parent.
 */
export interface ToolContext {
  scope: Scope;
  files: Files;
  tracer: Tracer;
  objectFormat: "sha1" | "sha256";
  isCaseInsensitive: boolean;
  asking: Asking;
  /** The span this call hangs from. */
  parent: Span | string;
  /** The coordinator's answer to the call; absent for reads that it was not asked about. No effect without one. */
  decision: Decision | undefined;
  /** Has the coordinator run a command that it allowed, and write down what came of it. */
  runCommand(callId: string): Promise<{ content: string; isError: boolean; hasChanged?: boolean }>;
}

export interface Executed {
  fact: Extract<ThreadFact, { type: "tool.finished" | "tool.denied" }>;
  result: ToolResult;
  submission?: Submission;
}

/** A command: what came of it stands in the log already. */
export type Commanded = Pick<Executed, "result"> & { hasChanged: boolean; fact?: undefined; submission?: undefined };

export async function execute(call: ToolUse, context: ToolContext): Promise<Executed | Commanded> {
  const tool = context.scope.tools.includes(call.name) ? toolNamed(call.name) : undefined;
  if (tool && isForCoordinator(tool, call, context)) return commanded(call, context);
  const attributes = {
    [attribute.operation]: operation.tool,
    [attribute.toolName]: call.name.slice(0, 100),
    [attribute.toolType]: "function",
    [attribute.toolCallId]: call.id,
  };
  const span = context.tracer.start(toolSpan(tool?.name ?? "unknown"), { parent: context.parent, attributes });
  try {
    const executed = tool
      ? await judgeAndRun(tool, call, { context, span })
      : deny(call, notOffered(call, context.scope), span);
    const isError = executed.result.is_error === true;
    if (isError) span.set({ [attribute.errorType]: executed.fact.type });
    span.end(isError ? { status: "error", message: executed.result.content.slice(0, 200) } : {});
    return executed;
  } catch (thrown) {
    span.end({ status: "error", message: "the tool threw" });
    return finished(call, failed(describeThrown(call.name, thrown)));
  }
}

/** Its span, its facts and what is true of it are the coordinator's. */
function isForCoordinator(tool: Tool, call: ToolUse, { decision }: ToolContext): boolean {
  if (tool.effect !== "outside" || decision?.effect !== "allow" || call.malformed !== undefined) return false;
  return !("problem" in tool.open(call.input));
}

async function commanded(call: ToolUse, context: ToolContext): Promise<Commanded> {
  const { content, isError, hasChanged = false } = await context.runCommand(call.id);
  const result = { type: "tool_result" as const, tool_use_id: call.id, content };
  return { result: { ...result, ...(isError ? { is_error: true } : {}) }, hasChanged };
}

const noObject = "it is no JSON object, or was cut off; ask again with the whole input";

interface Around {
  context: ToolContext;
  span: Span;
}

async function judgeAndRun(tool: Tool, call: ToolUse, { context, span }: Around): Promise<Executed> {
  if (call.malformed !== undefined) return finished(call, failed(`invalid input for ${tool.name}: ${noObject}`));
  const opened = tool.open(call.input);
  if ("problem" in opened) return finished(call, failed(`invalid input for ${tool.name}: ${opened.problem}`));
  const answered = answerOf(tool, opened, context);
  if (answered.decision.effect === "deny") return deny(call, answered, span);
  const resolved = await context.files.resolveAll(
    opened.paths.map(({ path }) => path),
    { followsLast: !tool.isAboutLinks },
  );
  const judged = settleQuestion(decidePaths(opened.paths, resolved, { ...context, tool }), context);
  if (judged.decision.effect === "deny") return deny(call, judged, span);
  span.set({ [attribute.decision]: "allow", [attribute.rule]: judged.decision.rule });
  const at = resolved.flatMap((each) => (isEscape(each) ? [] : [each]));
  const files = guardScripts(context.files, context);
  const outcome = await opened.run(runContext({ ...context, files }, at));
  const { refusal } = files;
  return refusal ? deny(call, refusal, span) : finish(call, outcome, context.asking);
}

/** Only the coordinator can have asked somebody. */
function settleQuestion(judged: Judgement, { decision: answer }: ToolContext): Judgement {
  const { effect, rule, source, reason } = judged.decision;
  if (effect !== "ask") return judged;
  if (answer?.effect === "allow") return { ...judged, decision: answer };
  const unasked = `${reason}; nobody was asked about it. Name the file by its own path, in a turn without commands`;
  return { ...judged, decision: { effect: "deny", rule, source, reason: unasked } };
}

/** What the coordinator said. A read has no intent, so it was asked nothing. */
function answerOf(tool: Tool, opened: OpenedCall, { decision }: ToolContext): Judgement {
  const subject = opened.paths[0]?.path ?? tool.name;
  if (decision) return { decision, subject };
  if (tool.effect === "read" || tool.effect === "none") return { decision: undisputed, subject };
  const reason = "what has an effect must be acknowledged before it happens, and this was not";
  return { decision: { effect: "deny", rule: "no intent", source: "sheaf", reason }, subject };
}

const undisputed: Decision = { effect: "allow", rule: "no path", source: "sheaf", reason: "it has no effect" };

function runContext(context: ToolContext, at: readonly Contained[]): RunContext {
  const { scope, files, objectFormat, isCaseInsensitive, asking } = context;
  return {
    files,
    at,
    asking,
    objectFormat,
    isCaseInsensitive,
    mayEdit: (path) => decide(scope, "Edit", path, { isCaseInsensitive }),
    mayRead: (path, kind) =>
      decide(scope, "Read", path, { isCaseInsensitive, isDirectory: kind === "directory" }).effect === "allow",
    mayEnter: (directory) => mayHoldAllowed(scope, "Read", directory, { isCaseInsensitive }),
  };
}

function deny(call: ToolUse, { decision, subject }: Judgement, span: Span): Executed {
  const { rule, source, reason } = decision;
  span.set({ [attribute.decision]: "deny", [attribute.rule]: rule });
  const input = subject === "" ? shortInput(call.input) : subject;
  const content = denialText(decision);
  return {
    fact: { type: "tool.denied", data: { call_id: call.id, tool: call.name, input, rule, source, reason } },
    result: { type: "tool_result", tool_use_id: call.id, content: cut(content), is_error: true },
  };
}

async function finish(call: ToolUse, outcome: ToolOutcome, asking: Asking): Promise<Executed> {
  const fitted = await fitResult(outcome, asking);
  return finished(call, { ...outcome, ...fitted });
}

function finished(call: ToolUse, outcome: ToolOutcome): Executed {
  const content = cut(outcome.content);
  const isError = outcome.isError ?? false;
  const logged = outcome.logged ?? content;
  const { pointer, changed, submission } = outcome;
  return {
    fact: {
      type: "tool.finished",
      data: {
        call_id: call.id,
        tool: call.name,
        is_error: isError,
        content: logged,
        ...(pointer ? { pointer } : {}),
        ...(changed ? { changed: [...changed] } : {}),
      },
    },
    result: { type: "tool_result", tool_use_id: call.id, content, ...(isError ? { is_error: true } : {}) },
    ...(submission ? { submission } : {}),
  };
}

/** Without the machine's paths, which mean nothing to a model. */
function describeThrown(tool: string, thrown: unknown): string {
  const { message, remedy } = toFailure(thrown);
  const what = message.replace(/, \w+ '[\s\S]*'$/, "").slice(0, 1_000);
  return `${tool} failed: ${what}${remedy ? `. To try: ${remedy}` : ""}`;
}
