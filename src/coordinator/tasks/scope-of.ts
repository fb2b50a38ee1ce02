import { taskScope } from "../../permission/task-scope.ts";
import type { JobSpec } from "../../protocol/job.ts";
import type { Scope } from "../../protocol/scope.ts";
import type { Step } from "../../protocol/step.ts";
import type { Task } from "../../protocol/task.ts";
import type { Ceiling } from "../../settings/ceiling.ts";

/** What a scope is made of besides the task. */
export interface ScopeGround {
  spec: Pick<JobSpec, "permissions">;
  ceiling: Pick<Ceiling, "permissions">;
  /** The tools there are. */
  tools: readonly string[];
}

/** What one step of a task may do. Running it and explaining it ask here, so that they cannot differ. */
export function scopeOf(task: Pick<Task, "writes">, step: Step | undefined, ground: ScopeGround): Scope {
  const { writes } = task;
  const { spec, ceiling, tools } = ground;
  const job = { writes, job: spec.permissions, ceiling: ceiling.permissions };
  if (step === undefined) return taskScope({ ...job, tools });
  if (step.kind === "command") return taskScope({ ...job, step: { writes: step.writes }, tools: [] });
  const { agent } = step;
  const offered = agent.tools ? tools.filter((name) => agent.tools?.includes(name)) : tools;
  return taskScope({ ...job, step: { writes: step.writes, allow: step.allow }, agent, tools: offered });
}
