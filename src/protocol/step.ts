import { z } from "zod";
import { agentSpec } from "./agent.ts";
import { reach } from "./reach.ts";
import { pathPattern, rule } from "./scope.ts";

/** The steps of a task, with nothing left to look up. */

/**
 * What is asked of an agent (a recipe is one too). `${{ item.* }}` and `${{ task.* }}` in its texts are filled in when
 * the job is split; inputs are filled in already. `writes` narrows what the task may edit.
 */
const agentStep = z.object({
  kind: z.literal("agent"),
  agent: agentSpec,
  prompt: z.string(),
  writes: z.array(pathPattern).optional(),
  /** Rules that narrow what the task may do. */
  allow: z.array(rule).optional(),
  ...reach,
});
export type AgentStep = z.infer<typeof agentStep>;

/** A command of the job's author in the task's workspace. A list is its words and meets no shell. */
const commandStep = z.object({
  kind: z.literal("command"),
  run: z.union([z.string(), z.array(z.string()).min(1)]),
  /** An exit code other than 0 does not end the task. */
  may_fail: z.boolean(),
  timeout_ms: z.number().int().positive(),
  writes: z.array(pathPattern).optional(),
  ...reach,
});
export type CommandStep = z.infer<typeof commandStep>;

/** One step of a task. Each is a run of its own. */
export const step = z.discriminatedUnion("kind", [agentStep, commandStep]);
export type Step = z.infer<typeof step>;
