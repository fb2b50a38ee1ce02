import { createHash } from "node:crypto";
import type { SandboxLimits } from "./open-sandbox.ts";
import type { SystemFolders } from "./system-folders.ts";
import type { Folder } from "./tool-folders.ts";

/**
 * bubblewrap's arguments for one command. What is not named here is not there: no /run, no /sys, no /var, no home but an
 * empty one, no network but a loopback of its own, no process but its own, no capability, and nothing of the machine can
 * be written but the tree.
 */
export interface View {
  /** Of Sheaf itself: what its sandboxes are told by in the list of processes. */
  dataFolder: string;
  system: SystemFolders;
  limits: Pick<SandboxLimits, "scratchBytes">;
  /** Read-only, outer before inner. */
  folders: readonly Folder[];
  /** Read-write, the only one. */
  tree: Folder;
  /** Inside the tree, read-only. */
  covers: readonly Folder[];
  /** Descriptors that bubblewrap reads or writes, and files that are made from some. */
  seccomp: number;
  status: number;
  files: readonly { descriptor: number; place: string }[];
}

export function bubblewrapArguments(view: View): string[] {
  const scratch = (place: string, mode: string) => [
    ...["--perms", mode, "--size", String(view.limits.scratchBytes), "--tmpfs", place],
  ];
  const shown = ({ source, place }: Folder) => ["--ro-bind", source, place];
  return [
    ...isolation,
    ...["--unsetenv", markOf(view.dataFolder)],
    ...["--seccomp", String(view.seccomp), "--json-status-fd", String(view.status)],
    ...view.system.shown.flatMap((place) => ["--ro-bind", place, place]),
    ...view.system.links.flatMap(([place, target]) => ["--symlink", target, place]),
    ...view.files.flatMap(({ descriptor, place }) => ["--perms", "0444", "--file", String(descriptor), place]),
    ...["--proc", "/proc", "--dev", "/dev", ...scratch("/dev/shm", "1777"), "--remount-ro", "/dev"],
    ...scratch("/tmp", "1777"),
    ...scratch(homeInside, "0700"),
    ...["--dir", "/run", "--symlink", "/tmp", "/var/tmp"],
    ...view.folders.flatMap(shown),
    ...["--bind", view.tree.source, view.tree.place],
    ...view.covers.flatMap(shown),
    // The folders that lead to all these are a file system in memory too, without a bound of its own.
    ...["--remount-ro", "/", "--chdir", view.tree.place],
  ];
}

export const homeInside = "/home/sheaf";

/** Does nothing but stand in the list of arguments. */
export function markOf(dataFolder: string): string {
  return `SHEAF_SANDBOX_${createHash("sha256").update(dataFolder).digest("hex").slice(0, 16)}`;
}

const isolation = [
  ...["--unshare-all", "--unshare-user", "--disable-userns", "--new-session", "--die-with-parent"],
  ...["--cap-drop", "ALL", "--hostname", "sheaf"],
];
