import { createHash } from "node:crypto";
import type { ModelSpec } from "../../protocol/agent.ts";
import type { Task } from "../../protocol/task.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import type { Start } from "./start-of.ts";

type Keyed = Pick<Equipment, "version" | "ceiling" | "models">;

/**
 * Names what a task is asked, by all that its result depends on: two tasks of one key would be given the same work on the
 * same files by the same rules. What a job is called, where it publishes, how many of its tasks run at a time and what
 * else is in it are no part of that.
 */
export function taskKey(
  task: Task,
  start: Pick<Start, "tree">,
  { job: { spec }, equipment }: { job: Pick<Job, "spec">; equipment: Keyed },
): string {
  const { ordinal: _, needs: _needs, id, ...asked } = task;
  const { permissions, format, setup, servers, agents, inputs, prompt, limits } = spec;
  const checks = spec.checks.filter((check) => check.at === "task");
  const around = { permissions, format, setup, servers, agents, inputs, prompt, checks };
  const started = (agents ?? []).map((agent) => doorOf(agent.model, equipment));
  const { depth, agents: most, turns, task: ofTask } = limits;
  const { version, ceiling } = equipment;
  const steps = task.steps.map((step) => (step.kind === "agent" ? doorOf(step.agent.model, equipment) : undefined));
  const doors = { steps, started };
  const made = { version, id, asked, doors, tree: start.tree, around, limits: { depth, most, turns, ofTask } };
  return createHash("sha256")
    .update(JSON.stringify([made, ceiling.permissions, ceiling.network, Object.keys(ceiling.secrets).sort()]))
    .digest("hex");
}

/** Another endpoint may know another model by the same name. */
function doorOf(model: ModelSpec, { models }: Keyed): string | undefined {
  const found = models.of(model);
  return found && "endpoint" in found ? found.endpoint.name : undefined;
}
