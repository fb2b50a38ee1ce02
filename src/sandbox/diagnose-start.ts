import { bubblewrapProgram } from "./diagnose-installation.ts";
import type { Machine } from "./diagnose-machine.ts";
import { type Diagnosis, lastLine } from "./diagnosis.ts";

/**
 * What fails before bubblewrap begins or after it is done says so itself, and is taken at its word: the programs that
 * take a command from root to its account, a folder that this account cannot reach, the program that sets limits. No
 * setting of the kernel and no container is looked for then.
 */
export const diagnoseStart: Diagnosis = (saw, machine) => {
  const [, program] = /^(?:the sandbox could not be set up: )?(unshare|mount|setpriv): /m.exec(saw) ?? [];
  if (program === "setpriv" || isRefusedAccount(saw, machine)) return withoutAccount(saw);
  if (program !== undefined) {
    return {
      unavailable: `Sheaf is root here and may not mount, by which commands would reach folders that only root may enter: ${lastLine(saw)}`,
      remedy: forRootWithoutMounts,
    };
  }
  return unreachable(saw) ?? withoutLimits(saw, machine);
};

/** `unshare` and `mount` are only started where something lies below a folder that is closed to the account. */
export const forRootWithoutMounts =
  "run Sheaf as an ordinary user (docker run --user 1000:1000); or keep SHEAF_HOME, the repository and the tools on PATH in folders that every account may enter; or, as root, give it CAP_SYS_ADMIN (docker run --cap-add SYS_ADMIN)";

function isRefusedAccount(saw: string, { isRoot }: Machine): boolean {
  return isRoot && saw.includes(`spawn ${bubblewrapProgram} EPERM`);
}

function withoutAccount(saw: string) {
  return {
    unavailable: `Sheaf is root here and may not run a command as somebody else: ${lastLine(saw)}`,
    remedy:
      "run Sheaf as an ordinary user (docker run --user 1000:1000); or, as root, give it CAP_SETUID and CAP_SETGID, with a setpriv of util-linux",
  };
}

function unreachable(saw: string) {
  const [, path] =
    /(?:Can't (?:find|get type of|chdir to)|source path) (\/\S*?):? .*(?:Permission denied|Operation not permitted)/i.exec(
      saw,
    ) ?? [];
  if (path === undefined) return undefined;
  return {
    unavailable: `the account that commands run as cannot reach ${path}: ${lastLine(saw)}`,
    remedy: "let others pass through its parent folders (chmod o+x), or keep SHEAF_HOME where that account may go",
  };
}

function withoutLimits(saw: string, machine: Machine) {
  const [, program] = /bwrap: execvp (\/usr\/bin\/prlimit): (?:No such file|Permission denied)/.exec(saw) ?? [];
  if (program === undefined) return undefined;
  const isAlpine = /^ID=["']?alpine/m.test(machine.read("/etc/os-release") ?? "");
  return {
    unavailable: `${program}, which limits what a command may use, could not be started: ${lastLine(saw)}`,
    remedy: isAlpine ? "apk add util-linux-misc" : "install util-linux",
  };
}
