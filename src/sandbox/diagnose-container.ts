import type { Machine } from "./diagnose-machine.ts";
import { type Diagnosis, isOfNamespaces, lastLine, orExternal } from "./diagnosis.ts";

/**
 * Inside a container three walls of its own stand before bubblewrap: the seccomp filter (no new namespaces), AppArmor or
 * SELinux (no mounts), and the parts of /proc that are masked (no second /proc). Which of them is met shows in what
 * bubblewrap says and in /proc/self.
 */
export const diagnoseContainer: Diagnosis = (saw, machine) => {
  const kind = isOfNamespaces(saw) ? containerKind(machine) : undefined;
  if (kind === undefined) return undefined;
  const off = offSwitch(machine);
  if (off !== undefined) {
    return {
      unavailable: `this ${kind.name} runs on a machine where ${off} is 0`,
      remedy: `on that machine: sudo sysctl -w ${off}=${off.startsWith("user.") ? "28633" : "1"}; or, ${orExternal}`,
    };
  }
  const wall = wallIn(saw, machine);
  return {
    unavailable: `this ${kind.name} does not let bubblewrap ${wall}: ${lastLine(saw)}`,
    remedy: `${kind.remedy}; or, ${orExternal}`,
  };
};

interface Kind {
  name: string;
  remedy: string;
}

const docker: Kind = {
  name: "Docker container",
  remedy:
    "start it with: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined",
};
const podman: Kind = {
  name: "Podman container",
  remedy:
    "start it with: podman run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt label=disable --security-opt unmask=ALL",
};
const kubernetes: Kind = {
  name: "Kubernetes pod",
  remedy:
    "in the pod: hostUsers: false; in the container's securityContext: seccompProfile: { type: Unconfined }, appArmorProfile: { type: Unconfined }, procMount: Unmasked",
};
const lxc: Kind = {
  name: "LXC container",
  remedy: "on its host: lxc config set NAME security.nesting true, and start it again",
};
const unknown: Kind = {
  name: "container",
  remedy: "let it make user namespaces, mount, and see an unmasked /proc (no seccomp and no AppArmor profile)",
};

/** A pod is looked for first: its runtime may be Docker or Podman. */
function containerKind(machine: Machine): Kind | undefined {
  const groups = machine.read("/proc/1/cgroup") ?? "";
  const systemd = machine.read("/run/systemd/container") ?? "";
  if (machine.isThere("/var/run/secrets/kubernetes.io") || /kubepods/.test(groups)) return kubernetes;
  if (machine.isThere("/run/.containerenv") || /libpod/.test(groups) || systemd === "podman") return podman;
  if (machine.isThere("/.dockerenv") || /\/docker[/-]/.test(groups) || systemd === "docker") return docker;
  if (/\/lxc[./]/.test(groups) || systemd === "lxc" || machine.isThere("/dev/lxd/sock")) return lxc;
  return systemd === "" && !/containerd|crio/.test(groups) ? undefined : unknown;
}

/** The kernel is the host's, and what its operator turned off is off in here. */
function offSwitch(machine: Machine): string | undefined {
  const switches = ["kernel.unprivileged_userns_clone", "user.max_user_namespaces"];
  return switches.find((name) => machine.read(`/proc/sys/${name.replaceAll(".", "/")}`) === "0");
}

function wallIn(saw: string, machine: Machine): string {
  if (/mount proc/i.test(saw)) return "mount a /proc of its own (parts of this one are masked)";
  if (/mount|pivot_root|slave|remount/i.test(saw)) return `mount${confinedBy(machine)}`;
  const isFiltered = /^Seccomp:\s*2/m.test(machine.read("/proc/self/status") ?? "");
  return `make a namespace${isFiltered ? " (its seccomp filter forbids it)" : confinedBy(machine)}`;
}

function confinedBy(machine: Machine): string {
  const profile = machine.read("/proc/self/attr/current") ?? "";
  if (profile === "" || profile.startsWith("unconfined")) return "";
  return ` (it is confined by the profile ${profile.replaceAll("\0", "").slice(0, 100)})`;
}
