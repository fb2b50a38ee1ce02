import { Fault } from "../protocol/failure.ts";
import type { JobSpec, Setup, Step } from "../protocol/job.ts";
import { commandText } from "../sandbox/command-ending.ts";
import type { Sandbox } from "../sandbox/driver.ts";
import { refuseTaken } from "../workspace/publish.ts";
import type { Repository } from "../workspace/repository.ts";
import type { Equipment } from "./equipment.ts";
import { namedSecrets } from "./named-secrets.ts";
import { networkTargets } from "./network-targets.ts";

/**
 * What could never come to a good end is refused before anything of it is stored or run: commands without a sandbox, a
 * network or a secret that the operator does not give, a branch to be published that is there already. Throws Fault
 * `sandbox_unavailable`, `not_allowed`, `configuration`, `job_file`, `usage` or `conflict`.
 */
export async function refuseUnrunnable(spec: JobSpec, repository: Repository, equipment: Equipment): Promise<void> {
  const command = firstCommand(spec);
  if (command !== undefined) await requireSandbox(equipment, command);
  await refuseReach(spec, repository, equipment);
  if (spec.publish.kind === "branch") await refuseTaken(repository, spec.publish);
}

async function refuseReach(spec: JobSpec, repository: Repository, { ceiling }: Equipment): Promise<void> {
  for (const { network = [], secrets = [] } of reachesOf(spec)) {
    namedSecrets(secrets, ceiling);
    await networkTargets(network, { spec, repository, ceiling });
  }
}

function reachesOf({ setup, checks, ...spec }: JobSpec): Pick<Setup, "network" | "secrets">[] {
  const commands = checks.filter((check) => check.kind === "command");
  return [...(setup ? [setup] : []), ...stepsOf(spec), ...commands];
}

function stepsOf({ before, each, after, tasks }: Pick<JobSpec, "before" | "each" | "after" | "tasks">): Step[] {
  return [...before, ...each, ...tasks.flatMap((task) => task.steps), ...after];
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
function firstCommand({ checks, ...spec }: JobSpec): string | undefined {
  const step = stepsOf(spec).find((one) => one.kind === "command");
  if (step?.kind === "command") return `step ${JSON.stringify(commandText(step.run))}`;
  const check = checks.find((one) => one.kind === "command");
  return check && `check ${JSON.stringify(check.name)}`;
}
