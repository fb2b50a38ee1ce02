import { delimiter, resolve, sep } from "node:path";
import type { Clock } from "../protocol/ids.ts";
import type { Sandbox } from "./driver.ts";
import { createExternal } from "./external.ts";

/** The driver the operator chose, or why there is none. A job file or a repository cannot choose one. */
export function openSandbox(
  options: { mode: "none" | "external"; path: string; home: string; packageFolder: string },
  clock: Clock,
): Sandbox | { unavailable: string; remedy: string } {
  if (options.mode === "external") return createExternal({ env: commandEnvironment(options), now: () => clock.now() });
  return {
    unavailable: "no sandbox is configured",
    remedy:
      "if this machine (a container, a CI runner) is itself the sandbox, say so with sandbox: { mode: external } in sheaf.config.yaml; or run the job without checks",
  };
}

/** An allowlist. Sheaf's own tools are taken off PATH, so that a check finds the versions its author would. */
function commandEnvironment({ path, home, packageFolder }: { path: string; home: string; packageFolder: string }) {
  const own = resolve(packageFolder) + sep;
  const isOwn = (folder: string) => `${resolve(folder)}${sep}`.startsWith(own) || /node-gyp-bin$/.test(folder);
  const entries = path.split(delimiter).filter((folder) => folder !== "" && !isOwn(folder));
  return { PATH: entries.join(delimiter), HOME: home, LANG: "C.UTF-8", TERM: "dumb", CI: "true", NO_COLOR: "1" };
}
