import { z } from "zod";
import { agentSpec } from "./agent.ts";
import { pathPattern, rule } from "./scope.ts";

/** One step of a task: an agent (a recipe is one too) and what it is asked. Each step is a run of its own. */
export const step = z.object({ agent: agentSpec, prompt: z.string() });
export type Step = z.infer<typeof step>;

export const split = z.discriminatedUnion("by", [
  z.object({ by: z.literal("none") }),
  /** `files`: most files a task may get; `tasks`: most tasks; absent means sized for the threads. */
  z.object({
    by: z.literal("files"),
    files: z.number().int().min(1).optional(),
    tasks: z.number().int().min(1).optional(),
  }),
  z.object({
    by: z.literal("directory"),
    files: z.number().int().min(1).optional(),
    tasks: z.number().int().min(1).optional(),
  }),
  /** Each item is a file, a directory or a glob, and becomes one task. */
  z.object({ by: z.literal("list"), items: z.array(z.string()), tasks: z.number().int().min(1).optional() }),
]);
export type Split = z.infer<typeof split>;

/**
 * The long form of a task as a job file writes it: `writes` are globs or paths it may edit, `items` what it is about
 * where that is not the same.
 */
export const namedTask = z.object({
  id: z.string(),
  writes: z.array(pathPattern),
  items: z.array(pathPattern).optional(),
  steps: z.array(step),
});
export type NamedTask = z.infer<typeof namedTask>;

const expectation = z.enum(["no-new-failures", "pass", "fixed", "fewer"]);

/** A command about a tree. `timeout_ms` is wall clock. */
export const check = z.object({
  name: z.string(),
  run: z.string(),
  expect: expectation,
  timeout_ms: z.number().int().positive(),
});
export type Check = z.infer<typeof check>;

export const publish = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  z.object({ kind: z.literal("patch"), file: z.string() }),
  z.object({ kind: z.literal("branch"), name: z.string() }),
]);
export type Publish = z.infer<typeof publish>;

const limits = z.object({
  concurrency: z.number().int().min(1).optional(),
  time_ms: z.number().int().positive(),
  idle_ms: z.number().int().positive(),
});

/** The repository a job works on, and the exact commit it starts from. */
export const base = z.object({
  /** Top level of the checkout (or the bare repository), absolute and canonical. */
  repository: z.string(),
  /** As the user wrote it: `HEAD`, `main`, an id. */
  ref: z.string(),
  commit: z.string(),
  tree: z.string(),
  /** True when uncommitted changes were taken in by `--include-dirty`. */
  is_dirty: z.boolean(),
});
export type Base = z.infer<typeof base>;

/** A job with nothing left to look up: rules, scripts and agents inlined, defaults filled in. */
export const jobSpec = z.object({
  name: z.string(),
  base,
  split,
  each: z.array(step),
  tasks: z.array(namedTask),
  checks: z.array(check),
  permissions: z.object({ allow: z.array(rule), deny: z.array(rule) }),
  land: z.enum(["green", "together"]),
  publish,
  limits,
});
export type JobSpec = z.infer<typeof jobSpec>;
