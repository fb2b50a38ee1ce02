import type { JobSpec, Setup, Step, ToolServer } from "../protocol/job.ts";

type Reach = Pick<Setup, "network" | "secrets">;

/** The network and the secrets of every command and every server that the job has. */
export function reachesOf({ setup, checks, servers = [], ...spec }: JobSpec): Reach[] {
  const commands = checks.filter((check) => check.kind === "command");
  return [...(setup ? [setup] : []), ...stepsOf(spec), ...commands, ...servers.map(reachOfServer)];
}

/** Where the address of a server leads is decided when it is asked. */
function reachOfServer(server: ToolServer): Reach {
  return server.kind === "command" ? server : { secrets: Object.values(server.secret_headers ?? {}) };
}

/** Every step of the job, in no order that means anything. */
export function stepsOf({ before, each, after, tasks }: Pick<JobSpec, "before" | "each" | "after" | "tasks">): Step[] {
  return [...before, ...each, ...tasks.flatMap((task) => task.steps), ...after];
}
