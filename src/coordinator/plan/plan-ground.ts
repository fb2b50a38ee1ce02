import { decide } from "../../permission/decide.ts";
import { decideCommand } from "../../permission/decide-command.ts";
import { taskScope } from "../../permission/task-scope.ts";
import type { AgentSpec } from "../../protocol/agent.ts";
import type { JobSpec } from "../../protocol/job.ts";
import type { PathPattern, Scope } from "../../protocol/scope.ts";
import type { NoSandbox, Sandbox } from "../../sandbox/driver.ts";
import type { Ceiling } from "../../settings/ceiling.ts";
import type { PlanGround } from "../../split/check-plan.ts";
import type { SplitView } from "../../split/split-view.ts";
import { plan, plannerTools } from "../../tools/plan.ts";

/** What a plan may say: judged by the same scope and the same functions that decide when its tasks run. */
export interface PlanBounds {
  spec: JobSpec;
  view: SplitView;
  ceiling: Pick<Ceiling, "permissions">;
  sandbox: Sandbox | NoSandbox;
}

export function planGround({ spec, view, ceiling, sandbox }: PlanBounds): PlanGround {
  const scopes = new WeakMap<PathPattern, Scope>();
  const scopeFor = (pattern: PathPattern) => {
    const known = scopes.get(pattern) ?? scopeOfWrites([pattern], { spec, ceiling });
    scopes.set(pattern, known);
    return known;
  };
  const facts = { isCaseInsensitive: view.isCaseInsensitive === true };
  return {
    spec,
    view,
    refusedEdit(pattern, path) {
      const { effect, reason } = decide(scopeFor(pattern), "Edit", path, facts);
      return effect === "deny" ? reason : undefined;
    },
    refusedCommand(run) {
      if ("unavailable" in sandbox) return `no command can be run here: ${sandbox.unavailable}`;
      if (spec.checks.some((check) => check.kind === "command" && check.run === run)) return undefined;
      // A planner asks for it, so it is held to what the job's agents may run; nobody is asked about a check.
      const { effect, reason } = decideCommand(scopeOfWrites([], { spec, ceiling }), run);
      return effect === "allow" ? undefined : `${reason}; leave it out, or write one of the job's own checks`;
    },
  };
}

type Rules = Pick<PlanBounds, "spec" | "ceiling">;

function scopeOfWrites(writes: readonly PathPattern[], { spec, ceiling }: Rules): Scope {
  return taskScope({ writes, job: spec.permissions, ceiling: ceiling.permissions, tools: [] });
}

/** A planner reads what the job's agents may read, and hands in a plan: nothing else, whatever the job allows them. */
export function plannerScope(planner: AgentSpec, { spec, ceiling }: Rules): Scope {
  const { ask = [], deny } = spec.permissions;
  const job = { allow: [], ask: ask.filter((rule) => rule.tool === "Read"), deny };
  const tools = plannerTools.filter((name) => name === plan.name || (planner.tools?.includes(name) ?? true));
  return taskScope({ writes: [], job, agent: planner, ceiling: ceiling.permissions, tools });
}
