import { z } from "zod";
import { agentSpec } from "./agent.ts";
import { check } from "./check.ts";
import { part } from "./part.ts";
import { plannedJob } from "./plan.ts";
import { reach } from "./reach.ts";
import { pathPattern, permissionMode, rule } from "./scope.ts";
import { split } from "./split.ts";
import { step } from "./step.ts";

/** A job with nothing left to look up, and the parts it is made of. Times are milliseconds. */

/**
 * The long form of a task as a job file writes it: `writes` are globs or paths it may edit, `items` what it is about
 * where that is not the same, `needs` the ids of tasks whose work it starts from.
 */
export const namedTask = z.object({
  id: z.string(),
  needs: z.array(z.string()).optional(),
  writes: z.array(pathPattern),
  items: z.array(pathPattern).optional(),
  steps: z.array(step),
  title: z.string().optional(),
  /** Checks of its own tree, beside those of the job. */
  checks: z.array(check).optional(),
});
export type NamedTask = z.infer<typeof namedTask>;

export const publish = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  /** Absolute; absent where the client that asked writes the file itself. */
  z.object({ kind: z.literal("patch"), file: z.string().optional() }),
  z.object({
    kind: z.literal("branch"),
    name: z.string(),
    /** When the branch is there: `refuse` before anything runs, `skip` publishing, `replace` it, or `update`: add to it. */
    existing: z.enum(["refuse", "skip", "replace", "update"]),
    /** When the ref the job started from has moved meanwhile: stay at the base, check again on the new one, or fail. */
    on_base_moved: z.enum(["keep", "recheck", "fail"]),
    /** One commit, or a commit for each task, in order. */
    group_by: z.enum(["job", "task"]),
  }),
]);
export type Publish = z.infer<typeof publish>;

const limits = z.object({
  concurrency: z.number().int().min(1).optional(),
  time_ms: z.number().int().positive(),
  idle_ms: z.number().int().positive(),
  /** Of all its runs together. `is_default`: nobody asked for this sum, so a model without a price is no reason to refuse. */
  nano_usd: z.number().int().min(0).optional(),
  is_default_usd: z.boolean().optional(),
  tokens: z.number().int().positive().optional(),
  /** Of one run. */
  turns: z.number().int().positive().optional(),
  /** Of one task. */
  task: z
    .object({ nano_usd: z.number().int().min(0).optional(), tokens: z.number().int().positive().optional() })
    .optional(),
  /** How deep agents may start agents: 1 is not at all. */
  depth: z.number().int().min(1).max(2).optional(),
  /** Most agents that one run may start. */
  agents: z.number().int().min(1).optional(),
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

/** `is_untrusted`: the value came from outside, such as the title of an issue; prompts mark it as such. */
export const inputValue = z.object({ value: z.string(), is_untrusted: z.boolean() });
export type InputValue = z.infer<typeof inputValue>;

/** Prepares a checkout for commands: once per hash of the dependency manifests. */
export const setup = z.object({ run: z.string(), timeout_ms: z.number().int().positive(), ...reach });
export type Setup = z.infer<typeof setup>;

/** A server of tools (Model Context Protocol). A command runs in the sandbox; a URL is reached by the coordinator. */
/** Calls of its tools may be made twice, when nobody knows what came of them. */
const again = { repeatable: z.boolean().optional() };

export const toolServer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("command"), name: z.string(), run: z.array(z.string()).min(1), ...reach, ...again }),
  z.object({
    kind: z.literal("url"),
    name: z.string(),
    url: z.string(),
    ...again,
    /** Header name -> name of the operator's secret that is its value. */
    secret_headers: z.record(z.string(), z.string()).optional(),
  }),
]);
export type ToolServer = z.infer<typeof toolServer>;

/** A job with nothing left to look up: rules, scripts and agents inlined, defaults filled in. */
export const jobSpec = z.object({
  name: z.string(),
  base,
  /** The goal of a planned job, told to its planner and to every agent. */
  prompt: z.string().optional(),
  /** Who plans, where `split` is by planner. */
  planner: agentSpec.optional(),
  /** Does the planned tasks that name nobody; absent: the planner's model without instructions. */
  worker: agentSpec.optional(),
  /** A plan made before: nobody is asked for one. */
  plan: plannedJob.optional(),
  /** Of a job that was split before: exactly these parts, whatever its split would say here. */
  parts: z.array(part).optional(),
  /** It ends with its plan. */
  is_plan_only: z.boolean().optional(),
  /** Nothing that was done before is reused: of no task, or not of these. */
  fresh: z.union([z.literal(true), z.array(z.string())]).optional(),
  /** Agents that others may start, and that a planner may name. */
  agents: z.array(agentSpec).optional(),
  servers: z.array(toolServer).optional(),
  inputs: z.record(z.string(), inputValue),
  setup: setup.optional(),
  split,
  /** Steps once before all parts, for each part, and once after them all. */
  before: z.array(step),
  each: z.array(step),
  after: z.array(step),
  tasks: z.array(namedTask),
  checks: z.array(check),
  permissions: z.object({
    allow: z.array(rule),
    ask: z.array(rule).optional(),
    deny: z.array(rule),
    /** What tasks may give to agents they start, beyond what they hold themselves. */
    grant: z.array(rule).optional(),
    /** Absent means deny. */
    mode: permissionMode.optional(),
  }),
  /** False keeps the repository's own formatter from ending the work of a recipe; absent means true. */
  format: z.boolean().optional(),
  land: z.enum(["green", "together"]),
  publish,
  limits,
  /** Only so many of the parts, evenly spread over them. */
  sample: z.number().int().min(1).optional(),
  /** Only files that this covers. */
  only: pathPattern.optional(),
  /** The job file as it was written (its JSON form), for `sheaf run --from`. */
  written: z.record(z.string(), z.unknown()).optional(),
});
export type JobSpec = z.infer<typeof jobSpec>;
