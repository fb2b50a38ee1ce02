import { z } from "zod";
import { submission } from "./claim.ts";
import { failure } from "./failure.ts";
import { taskId } from "./ids.ts";
import { answerBlock, usage } from "./message.ts";
import { runRecord } from "./record.ts";

/** The facts in the log of one run of an agent or a command. */

/** A file an edit left behind: repository path, git mode (`100644`, `100755`, `120000`), blob id; null = deleted. */
export const changedFile = z.object({ path: z.string(), mode: z.string(), blob: z.string().nullable() });
export type ChangedFile = z.infer<typeof changedFile>;

/** Where a large result is, instead of its text: the file, the sha256 of its bytes, the lines shown. */
export const pointer = z.object({
  path: z.string(),
  sha256: z.string(),
  bytes: z.number().int(),
  view_range: z.tuple([z.number().int(), z.number().int()]).optional(),
});
export type Pointer = z.infer<typeof pointer>;

/** The worst case of one model call, which is reserved before it is made. */
export const modelAsk = z.object({
  /** Estimated by whoever makes the request. */
  input_tokens: z.number().int().min(0),
  max_tokens: z.number().int().min(0),
});
export type ModelAsk = z.infer<typeof modelAsk>;

/** What of the log a request was made of: call ids of results that it only points at, or leaves out. */
export const manifest = z.object({
  messages: z.number().int(),
  input_tokens: z.number().int(),
  pointed: z.array(z.string()),
  dropped: z.array(z.string()),
  /** So many of the oldest turns are left out whole. */
  dropped_turns: z.number().int().optional(),
});
export type Manifest = z.infer<typeof manifest>;

/** What stands in front of a conversation. `prefix_sha256` is of all that runs of one kind share. */
export const opening = z.object({
  system_sha256: z.string(),
  tools_sha256: z.string(),
  brief_sha256: z.string(),
  prefix_sha256: z.string(),
  /** The task's own first message. */
  prompt: z.string(),
});
export type Opening = z.infer<typeof opening>;

export const runFacts = [
  z.object({
    type: z.literal("run.started"),
    data: z.object({
      task_id: taskId,
      step: z.number().int(),
      attempt: z.number().int(),
      agent: z.string(),
      base_tree: z.string(),
      scope_sha256: z.string(),
      /** Tools of servers that it is offered, as they were described to it: they are called only while they stay so. */
      tools: z.array(z.object({ name: z.string(), sha256: z.string() })).optional(),
    }),
  }),
  /** The intent of a model call: acknowledged when budget and rate allow it. */
  z.object({
    type: z.literal("turn.started"),
    data: z.object({
      turn: z.number().int(),
      model: z.string(),
      ask: modelAsk.optional(),
      manifest: manifest.optional(),
      /** Of the first turn: what every later request begins with. */
      opening: opening.optional(),
    }),
  }),
  /** The intent of another attempt at the same call, after `reason`. */
  z.object({
    type: z.literal("turn.retried"),
    data: z.object({
      turn: z.number().int(),
      /** From 2. */
      attempt: z.number().int(),
      reason: z.string(),
      status: z.number().int().optional(),
      /** What the endpoint asked for; the governor may hold it longer. */
      retry_after_ms: z.number().optional(),
      /** The attempt before may have been billed: it is settled in full, as assumed. */
      is_billed: z.boolean(),
      ask: modelAsk,
      /** Where the request is another one than before: it was too long. */
      manifest: manifest.optional(),
    }),
  }),
  z.object({
    type: z.literal("turn.finished"),
    data: z.object({
      turn: z.number().int(),
      answer: z.array(answerBlock),
      usage,
      stop: z.string(),
      /** The model that the endpoint named, where it is another word than the one asked for. */
      model: z.string().optional(),
      request_id: z.string().optional(),
      /** null: nobody knows; absent: it costs nothing. */
      cost_nano_usd: z.number().int().nullable().optional(),
    }),
  }),
  /** The call came to nothing, and is not tried again: refused, or it never went. Without one it was cut off. */
  z.object({
    type: z.literal("turn.failed"),
    data: z.object({
      turn: z.number().int(),
      reason: z.string(),
      status: z.number().int().optional(),
      /** It may have been billed: it is settled in full, as assumed. */
      is_billed: z.boolean(),
    }),
  }),
  /**
   * What was said to the agent beside the results of its tools: with the next request it reads it. `steer` and `budget`
   * come from outside its task; its own thread tells of a `loop`, of its `turns` coming to an end, and of an `answer` that
   * was empty or cut off.
   */
  z.object({
    type: z.literal("run.notified"),
    data: z.object({ kind: z.enum(["steer", "budget", "loop", "turns", "answer"]), text: z.string() }),
  }),
  z.object({
    type: z.literal("tool.intended"),
    data: z.object({ call_id: z.string(), tool: z.string(), rule: z.string() }),
  }),
  z.object({
    type: z.literal("tool.denied"),
    data: z.object({
      call_id: z.string(),
      tool: z.string(),
      /** The path (or the short form of the input) that was asked for. */
      input: z.string(),
      rule: z.string(),
      source: z.string(),
      reason: z.string(),
    }),
  }),
  z.object({
    type: z.literal("tool.finished"),
    data: z.object({
      call_id: z.string(),
      tool: z.string(),
      is_error: z.boolean(),
      content: z.string(),
      pointer: pointer.optional(),
      changed: z.array(changedFile).optional(),
      /** What the coordinator saw of a call that it made itself, where `content` does not say it. */
      receipt: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
  z.object({
    type: z.literal("run.finished"),
    data: z.object({
      state: z.enum(["succeeded", "failed", "cancelled"]),
      failure: failure.optional(),
      submission: submission.optional(),
      turns: z.number().int(),
      usage,
      /** null: nobody knows; absent: it cost nothing. */
      cost_nano_usd: z.number().int().nullable().optional(),
      /** The tree the coordinator took of the workspace; absent when nothing could be taken. */
      tree: z.string().optional(),
      /** For whoever takes the job up again. */
      record: runRecord.optional(),
    }),
  }),
  /** The call that was intended last waits for its budget or its rate: until it is `turn.sent`, nobody can bill it. */
  z.object({ type: z.literal("turn.waiting"), data: z.object({ turn: z.number().int() }) }),
  /** Said before it goes, of calls that were said to wait. */
  z.object({ type: z.literal("turn.sent"), data: z.object({ turn: z.number().int() }) }),
] as const;
