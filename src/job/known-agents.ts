import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import { Fault } from "../protocol/failure.ts";
import type { Rule } from "../protocol/scope.ts";
import type { Resolving } from "./resolving.ts";

type Around = Pick<Resolving, "file" | "agents">;

/** Names of the agents of the job and of the repository. */
export async function knownAgents({ file, agents }: Around): Promise<string[]> {
  return [...new Set([...Object.keys(file.agents ?? {}), ...(await agents.names())])];
}

/** What says that nobody has that name, at `place`. */
export async function unknownAgent(name: string, place: string, around: Around): Promise<Fault> {
  const known = await knownAgents(around);
  const meant = nearest(name, known);
  const others =
    known.length > 0
      ? `the agents here are ${known.slice(0, 20).join(", ")}`
      : "define it under agents:, or in .claude/agents";
  return new Fault("job_file", `${place}: there is no agent ${quoted(name)}`, {
    remedy: meant ? `did you mean "${meant}"?` : others,
  });
}

/** A rule about an agent or a server that is not there would look like a permission, or a ban, and be none. */
export async function refuseStranger(rule: Rule, place: string, around: Around): Promise<void> {
  if (rule.tool === "Agent" && rule.name !== undefined && around.agents.isAtHand) {
    if (!(await knownAgents(around)).includes(rule.name)) throw await unknownAgent(rule.name, place, around);
  }
  const servers = around.file.servers && Object.keys(around.file.servers);
  if (rule.tool !== "Mcp" || servers === undefined || servers.includes(rule.server)) return;
  const meant = nearest(rule.server, servers);
  throw new Fault("job_file", `${place}: there is no server ${quoted(rule.server)}`, {
    remedy: meant ? `did you mean mcp__${meant}?` : `the servers here are ${servers.join(", ") || "none"}`,
  });
}
