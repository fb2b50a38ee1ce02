import { delimiter } from "node:path";
import type { Clock } from "../protocol/ids.ts";
import { createBubblewrap } from "./bubblewrap.ts";
import { type Machine, machineAt } from "./diagnose-machine.ts";
import type { NoSandbox, Sandbox } from "./driver.ts";
import { createExternal } from "./external.ts";
import type { Resolve } from "./network/resolve.ts";
import { openTried } from "./probe.ts";
import { pathEntries } from "./tool-folders.ts";

export interface SandboxOptions {
  mode: "bubblewrap" | "external" | "none";
  /** Account for commands where Sheaf itself runs as root: a name or a number. */
  user?: string;
  /** Absolute folders of tools that commands may read, besides the system's and those on PATH. */
  read: readonly string[];
  limits: SandboxLimits;
  /** Hosts that may have private addresses. */
  privateHosts: readonly string[];
  /** Looks hosts up; absent: as this machine does. */
  resolve?: Resolve;
  /** The operator's PATH and home. */
  path: string;
  home: string;
  packageFolder: string;
  /** $SHEAF_HOME. */
  dataFolder: string;
}

export interface SandboxLimits {
  /** Of one process, private to it; Infinity: no limit. */
  memoryBytes: number;
  processes: number;
  /** Of /tmp and of the home folder, each. */
  scratchBytes: number;
}

/** The driver the operator chose, tried, or why there is none. A job file or a repository cannot choose one. */
export async function openSandbox(options: SandboxOptions, clock: Clock): Promise<Sandbox | NoSandbox> {
  switch (options.mode) {
    case "external":
      return createExternal({ env: commandEnvironment(options), now: () => clock.now() });
    case "none":
      return {
        unavailable: "the operator lets no command run (sandbox.mode is none)",
        remedy: "run the job without commands, or have the operator choose another sandbox.mode in sheaf.config.yaml",
      };
    case "bubblewrap":
      return openTried(() => createBubblewrap(options, clock), { ...options, machine: thisMachine(options) });
  }
}

function thisMachine({ path }: SandboxOptions): Machine {
  return machineAt({ root: "/", platform: process.platform, isRoot: process.getuid?.() === 0, path });
}

/** An allowlist, on the operator's own PATH. git takes no settings from folders that only look like a repository. */
function commandEnvironment({ home, ...options }: SandboxOptions) {
  const path = pathEntries(options).join(delimiter);
  const git = {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "safe.bareRepository",
    GIT_CONFIG_VALUE_0: "explicit",
  };
  return { PATH: path, HOME: home, LANG: "C.UTF-8", TERM: "dumb", CI: "true", NO_COLOR: "1", ...git };
}
