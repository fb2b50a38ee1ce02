import { z } from "zod";
import { language } from "./language.ts";
import { rule } from "./scope.ts";

/** A deterministic codemod with all it needs inlined: no file is read to run it but the sources it changes. */
export const recipe = z.discriminatedUnion("name", [
  z.object({ name: z.literal("node-protocol") }),
  /** `pattern` and `fix` are ast-grep patterns; `language` narrows the files it looks at. */
  z.object({
    name: z.literal("replace-call"),
    pattern: z.string(),
    fix: z.string(),
    language: language.optional(),
  }),
  z.object({ name: z.literal("no-var") }),
  z.object({ name: z.literal("import-type") }),
  z.object({ name: z.literal("require-to-import") }),
  /** Renames a symbol wherever the TypeScript language service finds it. `file` declares it; `symbol` is its name there. */
  z.object({
    name: z.literal("rename-symbol"),
    symbol: z.string(),
    to: z.string(),
    file: z.string(),
    /** Where the language service is to start from; default the nearest above `file`. */
    tsconfig: z.string().optional(),
  }),
  /** Moves a file and mends what imports it, and what it imports. */
  z.object({
    name: z.literal("move-file"),
    from: z.string(),
    to: z.string(),
    tsconfig: z.string().optional(),
  }),
  /** An ast-grep YAML rule file: its documents as plain objects, and the name people know it by. */
  z.object({ name: z.literal("rule"), file: z.string(), rules: z.array(z.record(z.string(), z.unknown())) }),
]);
export type Recipe = z.infer<typeof recipe>;

const tokens = z.number().int().min(0);
const waitMs = z.number().int().min(0).max(3_600_000);

/** An attempt at a scripted turn that fails as an HTTP status would; `lost`: the connection breaks. */
const scriptedError = z.strictObject({
  status: z.union([z.literal("lost"), z.number().int().min(400).max(599)]),
  /** Seconds. */
  retry_after: z.number().min(0).max(3_600).optional(),
});

/** One turn of a scripted model: what it says and the tool calls it makes. */
export const scriptedTurn = z
  .strictObject({
    say: z.string().optional(),
    /** What it says, in pieces, instead of `say`; `wait` passes before each. */
    stream: z.array(z.string()).max(10_000).optional(),
    /** Milliseconds before it begins to answer, and before each piece. */
    wait: waitMs.optional(),
    /** The first attempts fail so, one after the other, before one is answered. */
    error: z.union([scriptedError, z.array(scriptedError).max(100)]).optional(),
    calls: z.array(z.strictObject({ tool: z.string().min(1), input: z.unknown() })).optional(),
    /** Tokens of this turn; absent: none. */
    usage: z
      .strictObject({ input: tokens, output: tokens, cache_read: tokens.optional(), cache_write: tokens.optional() })
      .optional(),
    /** How it stops; absent: with `end_turn` in the last turn, else with `tool_use`. */
    stop: z.enum(["end_turn", "tool_use", "max_tokens", "refusal", "pause_turn", "too_long"]).optional(),
  })
  .refine(({ say, stream }) => say === undefined || stream === undefined, {
    message: "a turn says either say or stream",
  });
export type ScriptedTurn = z.infer<typeof scriptedTurn>;

/** Milliseconds, tokens and nano-USD of one run. */
export const runLimits = z.object({
  turns: z.number().int().positive().optional(),
  tokens: z.number().int().positive().optional(),
  nano_usd: z.number().int().min(0).optional(),
  time_ms: z.number().int().positive().optional(),
});
export type RunLimits = z.infer<typeof runLimits>;

export const modelSpec = z.discriminatedUnion("provider", [
  /** A model behind the Messages API; `via` says whose door. The id is the endpoint's own. */
  z.object({
    provider: z.literal("messages"),
    via: z.enum(["anthropic", "bedrock", "vertex"]),
    model: z.string(),
    /** Most tokens of one answer; absent: by the model's own limit. */
    max_tokens: z.number().int().positive().optional(),
  }),
  /** Answers from the log of an earlier job: its id, or `file` where it was exported to one. */
  z.object({ provider: z.literal("replay"), of: z.string(), recording: z.string().optional() }),
  z.object({ provider: z.literal("recipe"), recipe }),
  z.object({ provider: z.literal("scripted"), file: z.string(), turns: z.array(scriptedTurn) }),
]);
export type ModelSpec = z.infer<typeof modelSpec>;

/** What people call a model: `claude-sonnet-4-5`, `bedrock/...`, `replay/lint-7`, `recipe/node-protocol`, `scripted/liar.yaml`. */
export function modelName(spec: ModelSpec): string {
  if (spec.provider === "scripted") return `scripted/${spec.file}`;
  if (spec.provider === "replay") return `replay/${spec.of}`;
  if (spec.provider === "messages") return spec.via === "anthropic" ? spec.model : `${spec.via}/${spec.model}`;
  return `recipe/${spec.recipe.name === "rule" ? spec.recipe.file : spec.recipe.name}`;
}

/** An agent definition, resolved: instructions, model, and rules that may only narrow what its task may do. */
export const agentSpec = z.object({
  name: z.string(),
  model: modelSpec,
  instructions: z.string(),
  /** Narrowing rules; absent means the task's whole scope. */
  allow: z.array(rule).optional(),
  deny: z.array(rule).optional(),
  /** Tools offered to it, of those there are; absent means all. */
  tools: z.array(z.string()).optional(),
  /** What it is good for, told to whoever may start it. */
  description: z.string().optional(),
  limits: runLimits.optional(),
  /** The file it was read from, and the sha256 of its bytes. */
  file: z.object({ path: z.string(), sha256: z.string() }).optional(),
  /** Nobody named it: it is offered where nothing speaks against it. */
  is_unnamed: z.boolean().optional(),
});
export type AgentSpec = z.infer<typeof agentSpec>;
