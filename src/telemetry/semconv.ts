/**
 * Every span and attribute name Sheaf records, and no other place may spell one. The `gen_ai.*` names follow
 * open-telemetry/semantic-conventions-genai at commit 67dff024110be5bd9f318006e733f4078e0f4c97 (August 2026; all
 * of them have the status "Development"); the others are of semantic-conventions 1.45.0. They are frozen here: a
 * change upstream reaches our users only when this file changes. (v0.1.0 of those conventions later merged
 * `gen_ai.workflow.name` into `gen_ai.agent.name`; the workflow span carries both so that either is found.)
 */
export const attribute = Object.freeze({
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  workflowName: "gen_ai.workflow.name",
  agentName: "gen_ai.agent.name",
  agentId: "gen_ai.agent.id",
  /** The run id. */
  conversationId: "gen_ai.conversation.id",
  requestModel: "gen_ai.request.model",
  requestMaxTokens: "gen_ai.request.max_tokens",
  requestStream: "gen_ai.request.stream",
  requestTemperature: "gen_ai.request.temperature",
  responseModel: "gen_ai.response.model",
  responseId: "gen_ai.response.id",
  responseFinishReasons: "gen_ai.response.finish_reasons",
  /** Seconds. */
  timeToFirstChunk: "gen_ai.response.time_to_first_chunk",
  /** All input tokens, those read from and written to a cache included. */
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheWriteTokens: "gen_ai.usage.cache_write.input_tokens",
  toolName: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  toolCallId: "gen_ai.tool.call.id",
  errorType: "error.type",
  serverAddress: "server.address",
  serverPort: "server.port",
  /** A request field that an endpoint refused by name, and is not sent again. */
  droppedField: "sheaf.endpoint.dropped_field",
  peerAddress: "network.peer.address",
  bytesSent: "sheaf.network.bytes_sent",
  bytesReceived: "sheaf.network.bytes_received",
  exitCode: "process.exit.code",
  jobId: "sheaf.job.id",
  budgetNanoUsd: "sheaf.budget_nano_usd",
  costNanoUsd: "sheaf.cost_nano_usd",
  /** How many runs of agents a job took. */
  agents: "sheaf.agents",
  outcome: "sheaf.outcome",
  /** How many tasks a plan came to. */
  tasks: "sheaf.tasks",
  taskId: "sheaf.task.id",
  runAttempt: "sheaf.run.attempt",
  threadId: "sheaf.thread.id",
  scopeSha256: "sheaf.scope.sha256",
  /** slot | rate | budget | lease */
  waitReason: "sheaf.queue.wait_reason",
  /** live | hit | miss */
  replay: "sheaf.replay",
  turn: "sheaf.turn",
  /** Of a `sheaf.retry` event: which attempt comes next, from 2, and why the one before came to nothing. */
  retryAttempt: "sheaf.retry.attempt",
  retryReason: "sheaf.retry.reason",
  /** What the endpoint asked for. */
  retryAfterMs: "sheaf.retry.after_ms",
  statusCode: "http.response.status_code",
  decision: "sheaf.decision",
  rule: "sheaf.rule",
  treeBefore: "sheaf.tree.before",
  treeAfter: "sheaf.tree.after",
  tree: "sheaf.tree",
  conflicts: "sheaf.conflicts",
  bisectRuns: "sheaf.bisect.runs",
  durationMs: "sheaf.duration_ms",
  tokensBefore: "sheaf.tokens.before",
  tokensAfter: "sheaf.tokens.after",
  /** true on a span that was closed for its owner, which died or ended without closing it. */
  orphan: "sheaf.orphan",
  /** true on a span from which something was cut to keep it within its limits. */
  truncated: "sheaf.truncated",
});

/** Values of `gen_ai.operation.name`. */
export const operation = Object.freeze({
  workflow: "invoke_workflow",
  plan: "plan",
  agent: "invoke_agent",
  chat: "chat",
  tool: "execute_tool",
});

/** The root of a job's trace. Children: plan, queue, agent, merge, check. */
export const jobSpan = (jobName: string): string => `${operation.workflow} ${jobName}`;
export const planSpan = (strategy: string): string => `${operation.plan} ${strategy}`;
/** A task waiting for a slot, a rate, its budget or a lease. */
export const queueSpan = (task: string): string => `sheaf.queue ${task}`;
/** One run. Children: chat, tool. */
export const agentSpan = (agent: string): string => `${operation.agent} ${agent}`;
/** One model request; kind client. */
export const chatSpan = (model: string): string => `${operation.chat} ${model}`;
/** An event on the span of a model request, for each further attempt. */
export const retryEvent = "sheaf.retry";
export const toolSpan = (tool: string): string => `${operation.tool} ${tool}`;
/** A command's request to the network, let through or refused; kind client. */
export const networkSpan = (host: string): string => `sheaf.network ${host}`;
/** A program that serves tools, from its beginning to its end. */
export const serverSpan = (name: string): string => `sheaf.server ${name}`;
/** Links to every agent span it folds. */
export const mergeSpan = (batch: string): string => `sheaf.merge ${batch}`;
/** A checkout made ready for commands, once per hash of the dependency manifests. */
export const setupSpan = "sheaf.setup";
export const checkSpan = (name: string): string => `sheaf.check ${name}`;
