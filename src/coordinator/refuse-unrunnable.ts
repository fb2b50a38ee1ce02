import type { AgentSpec } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobSpec } from "../protocol/job.ts";
import { commandText } from "../sandbox/command-ending.ts";
import type { Sandbox } from "../sandbox/driver.ts";
import { refuseTaken } from "../workspace/publish.ts";
import type { Repository } from "../workspace/repository.ts";
import { namedSecrets } from "./commands/named-secrets.ts";
import { networkTargets } from "./commands/network-targets.ts";
import type { Equipment } from "./equipment.ts";
import { requireRecordings } from "./gate/recordings.ts";
import { refuseModels } from "./gate/refuse-models.ts";
import { reachesOf, stepsOf } from "./tasks/steps-of.ts";

/**
 * What could never come to a good end is refused before anything of it is stored or run: commands without a sandbox, a
 * network or a secret that the operator does not give, a branch to be published that is there already, a model without a
 * key or a price. Throws Fault `credentials`, `sandbox_unavailable`, `not_allowed`, `configuration`, `job_file`, `usage`, `replay` or `conflict`.
 */
export async function refuseUnrunnable(spec: JobSpec, repository: Repository, equipment: Equipment): Promise<void> {
  refuseModels(spec, equipment);
  const command = firstCommand(spec);
  if (command !== undefined) await requireSandbox(equipment, command);
  await refuseReach(spec, repository, equipment);
  await requireRecordings(spec, equipment);
  if (spec.publish.kind === "branch") await refuseTaken(repository, spec.publish);
}

async function refuseReach(spec: JobSpec, repository: Repository, { ceiling }: Equipment): Promise<void> {
  for (const { network = [], secrets = [] } of reachesOf(spec)) {
    namedSecrets(secrets, ceiling);
    await networkTargets(network, { spec, repository, ceiling });
  }
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
function firstCommand({ checks, permissions, servers = [], worker, ...spec }: JobSpec): string | undefined {
  const step = stepsOf(spec).find((one) => one.kind === "command");
  if (step?.kind === "command") return `step ${JSON.stringify(commandText(step.run))}`;
  const check = checks.find((one) => one.kind === "command");
  if (check) return `check ${JSON.stringify(check.name)}`;
  const server = servers.find((one) => one.kind === "command");
  if (server) return `server ${JSON.stringify(server.name)}`;
  // An agent is offered commands where a rule allows some; whoever wrote that rule counts on them.
  const agents = [
    ...stepsOf(spec).flatMap((one) => (one.kind === "agent" ? [one.agent] : [])),
    ...(worker ? [worker] : []),
  ];
  const rule = agents.some(mayUseBash) ? permissions.allow.find(({ tool }) => tool === "Bash") : undefined;
  return rule && `the rule ${rule.id}`;
}

function mayUseBash({ model, tools }: AgentSpec): boolean {
  return model.provider !== "recipe" && (tools?.includes("bash") ?? true);
}
