import type { JobSpec, Setup, Step } from "../protocol/job.ts";

/** The network and the secrets of every command that the job has. */
export function reachesOf({ setup, checks, ...spec }: JobSpec): Pick<Setup, "network" | "secrets">[] {
  const commands = checks.filter((check) => check.kind === "command");
  return [...(setup ? [setup] : []), ...stepsOf(spec), ...commands];
}

/** Every step of the job, in no order that means anything. */
export function stepsOf({ before, each, after, tasks }: Pick<JobSpec, "before" | "each" | "after" | "tasks">): Step[] {
  return [...before, ...each, ...tasks.flatMap((task) => task.steps), ...after];
}
