import type { RunOrder } from "../../protocol/thread.ts";
import type { Job } from "../job.ts";
import type { StepOrder } from "../tasks/step-order.ts";
import { tellEarlier } from "./earlier-steps.ts";

export type Told = Pick<RunOrder, "brief" | "prompt" | "leftovers">;

/** What one run is told: the job's own brief, its prompt with what is known of its part, and what was left to it. */
export async function briefRun(
  { task, step, scope, earlier }: StepOrder,
  { brief }: Pick<Job, "brief">,
): Promise<Told> {
  // A recipe reads none of it.
  if (step.agent.model.provider === "recipe") return { brief: "", prompt: step.prompt, leftovers: [] };
  const notes = await brief.near(task.files, scope);
  const before = earlier === undefined ? "" : tellEarlier(earlier);
  return {
    brief: await brief.shared(),
    prompt: [step.prompt, before, notes].filter((part) => part !== "").join("\n\n"),
    leftovers: [...(earlier?.leftovers ?? [])],
  };
}
