import type { Machine } from "./diagnose-machine.ts";
import { type Diagnosis, orExternal } from "./diagnosis.ts";

/** Where the driver expects bubblewrap: a program that only root can put there, whatever PATH says. */
export const bubblewrapProgram = "/usr/bin/bwrap";
/** It brought `--disable-userns`. */
const oldestBubblewrap = "0.8.0";

/** The system is another one, or a program is not there, too old, or installed in a way that cannot work. */
export const diagnoseInstallation: Diagnosis = (saw, machine) => {
  if (machine.platform !== "linux") return otherSystem(machine.platform);
  if (isFirstWsl(machine)) {
    const remedy = "move the distribution to WSL 2, in PowerShell: wsl --set-version NAME 2";
    return { unavailable: "WSL 1 has no namespaces to make a sandbox of", remedy };
  }
  if (!machine.isThere(bubblewrapProgram)) return missing(machine);
  const unknown = /Unknown option (--[\w-]+)/i.exec(saw)?.[1];
  if (unknown !== undefined) {
    return {
      unavailable: `${bubblewrapProgram} is older than ${oldestBubblewrap}: it does not know ${unknown}`,
      remedy: `install bubblewrap ${oldestBubblewrap} or newer (Debian 12, Ubuntu 24.04, Fedora 38, Alpine 3.18 and later have it); ${orExternal}`,
    };
  }
  if (machine.isSetuid(bubblewrapProgram)) return setuid(saw);
  return missingForRoot(machine);
};

function otherSystem(platform: NodeJS.Platform) {
  const name = { darwin: "macOS", win32: "Windows" }[String(platform)] ?? platform;
  return {
    unavailable: `Sheaf's sandbox needs Linux, and this is ${name}`,
    remedy: `run Sheaf in a Linux container or virtual machine (WSL 2 on Windows); ${orExternal}`,
  };
}

/** Its kernel calls itself Microsoft's with a capital letter, and has no version of Linux of its own. */
function isFirstWsl(machine: Machine): boolean {
  const kernel = machine.read("/proc/sys/kernel/osrelease") ?? "";
  return /-Microsoft$/.test(kernel);
}

function missing(machine: Machine) {
  const install = installLine(machine.read("/etc/os-release") ?? "", { isRoot: machine.isRoot });
  return {
    unavailable: `bubblewrap is not installed: there is no ${bubblewrapProgram}`,
    remedy: `${install} (in a checkout of Sheaf: npm run install-sandbox); or, ${orExternal}`,
  };
}

/** What installs bubblewrap, by os-release(5). */
export function installLine(release: string, { isRoot }: { isRoot: boolean }): string {
  const field = (name: string) => new RegExp(`^${name}=["']?([^"'\\n]*)`, "m").exec(release)?.[1] ?? "";
  const families = `${field("ID")} ${field("ID_LIKE")}`.toLowerCase().split(/\s+/);
  const found = installers.find(([family]) => families.includes(family));
  if (!found) return "install bubblewrap with the system's package manager";
  return `${isRoot ? "" : "sudo "}${found[1]}`;
}

const installers: readonly (readonly [family: string, line: string])[] = [
  ["debian", "apt-get install bubblewrap"],
  ["ubuntu", "apt-get install bubblewrap"],
  ["fedora", "dnf install bubblewrap"],
  ["rhel", "dnf install bubblewrap"],
  ["centos", "dnf install bubblewrap"],
  ["alpine", "apk add bubblewrap setpriv util-linux-misc"],
  ["arch", "pacman -S bubblewrap"],
  ["suse", "zypper install bubblewrap"],
  ["opensuse", "zypper install bubblewrap"],
];

/** Installed to run as root, it refuses what takes namespaces away from its children. */
function setuid(saw: string) {
  if (!/setuid|--disable-userns|userns/i.test(saw)) return undefined;
  return {
    unavailable: `${bubblewrapProgram} is installed setuid root, and cannot keep commands from making namespaces so`,
    remedy: `sudo chmod u-s ${bubblewrapProgram}, where ordinary users may make user namespaces (sysctl kernel.unprivileged_userns_clone=1)`,
  };
}

/** Where Sheaf runs as root, util-linux takes a command down to the account it runs as. */
function missingForRoot(machine: Machine) {
  const absent = machine.isRoot ? ["setpriv", "unshare"].filter((program) => !machine.find(program)) : [];
  if (absent.length === 0) return undefined;
  const package_ = /^ID=["']?alpine/m.test(machine.read("/etc/os-release") ?? "")
    ? "apk add setpriv util-linux-misc"
    : "install util-linux";
  return {
    unavailable: `Sheaf runs as root and cannot start a command as somebody else without ${absent.join(" and ")}`,
    remedy: `${package_}; or run Sheaf as an ordinary user`,
  };
}
