import type { JobSpec, Setup, ToolServer } from "../../protocol/job.ts";
import type { Step } from "../../protocol/step.ts";

type Reach = Pick<Setup, "network" | "secrets">;

/** The network and the secrets of every command and every server that the job has. */
export function reachesOf({ setup, checks, servers = [], ...spec }: JobSpec): Reach[] {
  const commands = checks.filter((check) => check.kind === "command");
  return [...(setup ? [setup] : []), ...stepsOf(spec), ...commands, ...servers.map(reachOfServer)];
}

/** Where the name of a host leads is decided when it is asked. */
function reachOfServer(server: ToolServer): Reach {
  if (server.kind === "command") return server;
  const { hostname, port, protocol } = new URL(server.url);
  const network = [`${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`];
  return { network, secrets: Object.values(server.secret_headers ?? {}) };
}

/** Every step of the job, in no order that means anything. */
export function stepsOf({ before, each, after, tasks }: Pick<JobSpec, "before" | "each" | "after" | "tasks">): Step[] {
  return [...before, ...each, ...tasks.flatMap((task) => task.steps), ...after];
}
