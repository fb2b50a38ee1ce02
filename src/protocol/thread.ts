import { z } from "zod";
import { agentSpec } from "./agent.ts";
import { leftover, submission } from "./claim.ts";
import { endpoint, modelSign } from "./endpoint.ts";
import { threadFact } from "./event.ts";
import { failure } from "./failure.ts";
import { runId, taskId } from "./ids.ts";
import { usage } from "./message.ts";
import { modelCard } from "./model-card.ts";
import { pastTurn } from "./past-turn.ts";
import { recordedRun } from "./recording.ts";
import { decision, scope } from "./scope.ts";
import { searchQuery, searchReport } from "./search.ts";

/** The host-thread contract: what crosses a run's port, in both directions. */

/** A tool as a model is told of it. */
export const toolSchema = z.object({
  name: z.string(),
  description: z.string(),
  /** JSON Schema of the input object. */
  input_schema: z.record(z.string(), z.unknown()),
});
export type ToolSchema = z.infer<typeof toolSchema>;

/** Everything a thread gets to know about a run. */
export const runOrder = z.object({
  run_id: runId,
  task_id: taskId,
  title: z.string(),
  agent: agentSpec,
  prompt: z.string(),
  /** What all runs of the job are told in front of their own tasks: the same text for all, free of times and paths. */
  brief: z.string(),
  /** What earlier steps of the task saw and left alone, with the reasons. */
  leftovers: z.array(leftover),
  /** The files the task is about. */
  files: z.array(z.string()),
  scope,
  /** Of an agent whose model is behind the Messages API. */
  model: z.object({ card: modelCard, endpoint }).optional(),
  /** Of an agent that answers from a recording: its runs of this task and step. */
  recording: z.array(recordedRun).optional(),
  /** Tools that the coordinator runs and the catalogue does not know: those of servers. */
  tools: z.array(toolSchema).optional(),
  workspace: z.object({
    /** Absolute path of the files; the only place this run may touch. */
    root: z.string(),
    /** Absolute path on the same file system, outside `root`, for files on their way in. */
    scratch: z.string(),
    object_format: z.enum(["sha1", "sha256"]),
    is_case_insensitive: z.boolean(),
    /** Base files in one file outside `root`, in this order, in the form of `git cat-file --batch`. */
    bundle: z
      .object({ file: z.string(), entries: z.array(z.object({ path: z.string(), is_executable: z.boolean() })) })
      .optional(),
  }),
  /** W3C traceparent of the span this run hangs from. */
  traceparent: z.string(),
  max_turns: z.number().int().positive(),
  /** Of a run that another process began: what its log holds of its turns, from the first on. */
  past: z.array(pastTurn).optional(),
});
export type RunOrder = z.infer<typeof runOrder>;

/** How a run ended, as the thread returns it from Piscina. The coordinator takes the tree itself. */
export const runReport = z.object({
  state: z.enum(["succeeded", "failed", "cancelled"]),
  failure: failure.optional(),
  submission: submission.optional(),
  turns: z.number().int(),
  usage,
  /** Of the run's own span, for those that link to it. */
  traceparent: z.string().optional(),
});
export type RunReport = z.infer<typeof runReport>;

/** Thread to coordinator. `id` pairs a question with its answer. */
export const threadMessage = z.discriminatedUnion("kind", [
  /** First message of a run: where it landed. */
  z.object({ kind: z.literal("started"), thread_id: z.number().int() }),
  /** Facts to append. An answer's effects wait for the acknowledgement. */
  z.object({
    kind: z.literal("append"),
    id: z.number().int(),
    facts: z.array(threadFact),
    span_id: z.string().optional(),
  }),
  /** A file that is not in the workspace: its bytes (`read`), or put it there (`materialise`). */
  z.object({ kind: z.literal("fetch"), id: z.number().int(), path: z.string(), want: z.enum(["read", "materialise"]) }),
  /** Names below a directory of the base, for list and glob; `prefix` "" is the root. */
  z.object({ kind: z.literal("names"), id: z.number().int(), prefix: z.string() }),
  /** Runs a command that was allowed, by the id of its call: what it is stands in the log already. */
  z.object({ kind: z.literal("command"), id: z.number().int(), call_id: z.string() }),
  /** Looks through files: their canonical paths with a NUL between any two. */
  z.object({ kind: z.literal("search"), id: z.number().int(), query: searchQuery, paths: z.string() }),
  /** A text too large for a message to a model: to be kept, for this run to read pages of it. */
  z.object({ kind: z.literal("keep"), id: z.number().int(), text: z.string() }),
  /** The text of an artifact of this run. */
  z.object({ kind: z.literal("artifact"), id: z.number().int(), sha256: z.string() }),
  z.object({ kind: z.literal("model"), said: modelSign }),
  /** A SpanMessage; parsed by the span hub, which drops what is malformed. */
  z.object({ kind: z.literal("span"), message: z.unknown() }),
  z.object({ kind: z.literal("pong"), beat: z.number().int() }),
]);
export type ThreadMessage = z.infer<typeof threadMessage>;

/** What the base holds at a path. `link` carries a symlink's target. */
export const fetched = z.discriminatedUnion("found", [
  z.object({ found: z.literal("file"), bytes: z.instanceof(Uint8Array), is_executable: z.boolean() }),
  z.object({ found: z.literal("link"), target: z.string() }),
  z.object({ found: z.literal("directory") }),
  z.object({ found: z.literal("submodule") }),
  z.object({ found: z.literal("nothing") }),
  z.object({ found: z.literal("too_large"), size: z.number().int() }),
]);
export type Fetched = z.infer<typeof fetched>;

/** Coordinator to thread. */
export const hostMessage = z.discriminatedUnion("kind", [
  /** The facts are in the log. Decisions answer the intents, by call id; `stop` ends the run now. */
  z.object({
    kind: z.literal("acknowledged"),
    id: z.number().int(),
    decisions: z.record(z.string(), decision),
    /** What was said to the agent meanwhile: in the log as `run.notified`, in this order. */
    notices: z.array(z.string()),
    stop: failure.optional(),
  }),
  z.object({ kind: z.literal("fetched"), id: z.number().int(), file: fetched }),
  z.object({ kind: z.literal("named"), id: z.number().int(), names: z.array(z.string()), is_complete: z.boolean() }),
  /** What came of a command, as the model sees it. Its `tool.finished` is in the log already. */
  z.object({
    kind: z.literal("commanded"),
    id: z.number().int(),
    content: z.string(),
    is_error: z.boolean(),
    /** The files are others than before. */
    has_changed: z.boolean().optional(),
  }),
  z.object({ kind: z.literal("searched"), id: z.number().int(), report: searchReport }),
  /** Of the text without its secrets. */
  z.object({ kind: z.literal("kept"), id: z.number().int(), sha256: z.string(), bytes: z.number().int() }),
  /** null: this run has no such artifact. */
  z.object({ kind: z.literal("artifact"), id: z.number().int(), text: z.string().nullable() }),
  z.object({ kind: z.literal("cancel"), failure }),
  z.object({ kind: z.literal("ping"), beat: z.number().int() }),
]);
export type HostMessage = z.infer<typeof hostMessage>;
