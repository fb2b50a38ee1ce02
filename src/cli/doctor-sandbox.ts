import { resolve, sep } from "node:path";
import type { Equipment } from "../coordinator/equipment.ts";
import { toFailure } from "../protocol/failure.ts";
import type { Sandbox } from "../sandbox/driver.ts";
import { type Property, type Tried, tryProperties } from "../sandbox/properties.ts";
import type { Settings } from "../settings.ts";
import type { Finding } from "./doctor-finding.ts";
import type { Surroundings } from "./session.ts";

/**
 * What contains commands here, as tried and not as configured: the trial run, then each property by a command that does
 * its best against it. What nobody but the operator can know is said to be on their word.
 */
export async function sandboxFindings(
  { equipment, settings }: { equipment: Pick<Equipment, "sandbox" | "home">; settings: Settings },
  { config }: Pick<Surroundings, "config">,
): Promise<Finding[]> {
  const { mode, limits } = settings.sandbox;
  const sandbox = await equipment.sandbox();
  if ("unavailable" in sandbox) return [unavailable(mode, sandbox)];
  if (sandbox.mode === "external") return vouchedFor;
  const { path, userHome } = config;
  const options = { dataFolder: equipment.home, userHome, path, limits };
  try {
    const variable = (name: string) => config.variable(name);
    return describe(sandbox, await tryProperties(sandbox, { ...options, variable }));
  } catch (thrown) {
    const { message, remedy } = toFailure(thrown);
    return [{ state: "bad", what: `sandbox ${sandbox.mode}: ${message}`, ...(remedy ? { remedy } : {}) }];
  }
}

/** Not to have one is an error only where the operator has not chosen so. */
function unavailable(mode: Settings["sandbox"]["mode"], why: { unavailable: string; remedy: string }): Finding {
  const state = mode === "none" ? "note" : "bad";
  return { state, what: `no sandbox, so jobs that need commands are refused: ${why.unavailable}`, remedy: why.remedy };
}

const vouchedFor: Finding[] = [
  { state: "note", what: "sandbox external: commands run as you, on the operator's word" },
  {
    state: "note",
    what:
      "the operator vouches for: host files, writing, processes, environment of other commands, network and sockets, " +
      "namespaces, seccomp, privileges, the end of children that leave their group, limits; hosts that a job names are not held either",
  },
  { state: "ok", what: "Sheaf itself sees to: a clean environment, the time of a command and its process group" },
];

function describe({ mode }: Sandbox, { properties, account, unseen }: Tried): Finding[] {
  const as = account === undefined ? "" : `: commands run as ${account}${isOurs(account) ? ", as Sheaf does" : ""}`;
  return [{ state: "ok", what: `sandbox ${mode}${as}` }, ...properties.map(propertyFinding), ...unseenFindings(unseen)];
}

function isOurs(account: string): boolean {
  return account === `${process.getuid?.()}:${process.getgid?.()}`;
}

function propertyFinding({ name, isHeld, saw }: Property): Finding {
  if (isHeld) return { state: "ok", what: `${name}: ${saw}` };
  return {
    state: "bad",
    what: `${name}: ${saw}`,
    remedy: "let no job run here until this holds: sandbox: { mode: none }",
  };
}

/** Sheaf's own tools, which npm puts on PATH, are not meant for commands. */
function unseenFindings(folders: readonly string[]): Finding[] {
  const foreign = folders.filter((folder) => !`${resolve(folder)}${sep}`.includes(`${sep}node_modules${sep}`));
  if (foreign.length === 0) return [];
  const what = `folders of PATH that commands do not see: ${foreign.join(", ")}`;
  return [{ state: "note", what, remedy: "name those that they need in sandbox.read of sheaf.config.yaml" }];
}
