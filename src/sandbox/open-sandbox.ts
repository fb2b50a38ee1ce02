import { delimiter, resolve, sep } from "node:path";
import type { Clock } from "../protocol/ids.ts";
import type { NoSandbox, Sandbox } from "./driver.ts";
import { createExternal } from "./external.ts";

export interface SandboxOptions {
  mode: "bubblewrap" | "external" | "none";
  /** Account for commands where Sheaf itself runs as root: a name or a number. */
  user?: string;
  /** Absolute folders of tools that commands may read, besides the system's and those on PATH. */
  read: readonly string[];
  limits: SandboxLimits;
  /** Hosts that may have private addresses. */
  privateHosts: readonly string[];
  /** The operator's PATH and home. */
  path: string;
  home: string;
  packageFolder: string;
  /** $SHEAF_HOME. */
  dataFolder: string;
}

export interface SandboxLimits {
  /** Of one process. */
  memoryBytes: number;
  processes: number;
  /** Of /tmp and of the home folder, each. */
  scratchBytes: number;
}

/** The driver the operator chose, tried, or why there is none. A job file or a repository cannot choose one. */
export async function openSandbox(options: SandboxOptions, clock: Clock): Promise<Sandbox | NoSandbox> {
  if (options.mode === "external") return createExternal({ env: commandEnvironment(options), now: () => clock.now() });
  return {
    unavailable: "no sandbox is configured",
    remedy:
      "if this machine (a container, a CI runner) is itself the sandbox, say so with sandbox: { mode: external } in sheaf.config.yaml; or run the job without checks",
  };
}

/** An allowlist. Sheaf's own tools are taken off PATH, so that a check finds the versions its author would. */
function commandEnvironment({ path, home, packageFolder }: SandboxOptions) {
  const own = resolve(packageFolder) + sep;
  const isOwn = (folder: string) => `${resolve(folder)}${sep}`.startsWith(own) || /node-gyp-bin$/.test(folder);
  const entries = path.split(delimiter).filter((folder) => folder !== "" && !isOwn(folder));
  return { PATH: entries.join(delimiter), HOME: home, LANG: "C.UTF-8", TERM: "dumb", CI: "true", NO_COLOR: "1" };
}
