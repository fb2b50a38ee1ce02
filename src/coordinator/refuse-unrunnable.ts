import { Fault } from "../protocol/failure.ts";
import type { JobSpec, Step } from "../protocol/job.ts";
import { commandText } from "../sandbox/command-ending.ts";
import type { Sandbox } from "../sandbox/driver.ts";
import { refuseTaken } from "../workspace/publish.ts";
import type { Repository } from "../workspace/repository.ts";
import type { Equipment } from "./equipment.ts";

/**
 * What could never come to a good end is refused before anything of it is stored or run: commands without a sandbox,
 * a branch to be published that is there already. Throws Fault `sandbox_unavailable`, `usage` or `conflict`.
 */
export async function refuseUnrunnable(spec: JobSpec, repository: Repository, equipment: Equipment): Promise<void> {
  const command = firstCommand(spec);
  if (command !== undefined) await requireSandbox(equipment, command);
  if (spec.publish.kind === "branch") await refuseTaken(repository, spec.publish);
}

/** Throws Fault `sandbox_unavailable` when a job needs commands and nothing may run them. */
export async function requireSandbox(equipment: Pick<Equipment, "sandbox">, what: string): Promise<Sandbox> {
  const sandbox = await equipment.sandbox();
  if (!("unavailable" in sandbox)) return sandbox;
  throw new Fault("sandbox_unavailable", `${what} needs a command, and ${sandbox.unavailable}`, {
    remedy: sandbox.remedy,
  });
}

/** A setup alone asks for nothing: it prepares what commands run in. */
function firstCommand({ before, each, after, tasks, checks }: JobSpec): string | undefined {
  const steps: Step[] = [...before, ...each, ...tasks.flatMap((task) => task.steps), ...after];
  const step = steps.find((one) => one.kind === "command");
  if (step?.kind === "command") return `step ${JSON.stringify(commandText(step.run))}`;
  const check = checks.find((one) => one.kind === "command");
  return check && `check ${JSON.stringify(check.name)}`;
}
