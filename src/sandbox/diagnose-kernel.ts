import { bubblewrapProgram } from "./diagnose-installation.ts";
import { type Diagnosis, isOfNamespaces, lastLine, orExternal } from "./diagnosis.ts";

/** What a kernel or its security module was told, or built, not to do. Each is a question with one file for an answer. */
export const diagnoseKernel: Diagnosis = (saw, machine) => {
  for (const look of [switchedOff, restrictedByAppArmor, withoutSeccomp, nested, restrictedBySelinux]) {
    const found = look(saw, machine);
    if (found) return found;
  }
  return undefined;
};

/** Debian's own switch (kernels before 5.10 of theirs had it off), and the kernel's count. */
const switchedOff: Diagnosis = (_saw, machine) => {
  for (const [name, value] of [
    ["kernel.unprivileged_userns_clone", "1"],
    ["user.max_user_namespaces", "28633"],
  ] as const) {
    if (machine.read(fileOf(name)) !== "0") continue;
    const line = `sysctl -w ${name}=${value}`;
    return {
      unavailable: `user namespaces are turned off on this machine (${name} is 0)`,
      remedy: `sudo ${line}; to keep it, write ${name}=${value} to /etc/sysctl.d/sheaf.conf; or, ${orExternal}`,
    };
  }
  if (machine.isThere("/proc/self/ns/user") || !machine.isThere("/proc/self/status")) return undefined;
  return {
    unavailable: "this kernel is built without user namespaces (CONFIG_USER_NS)",
    remedy: `boot the distribution's own kernel; or, ${orExternal}`,
  };
};

/**
 * Ubuntu 23.10 and later let only programs with a profile make user namespaces. The profile is the one Ubuntu
 * documents for such programs: it confines nothing, and allows just this.
 */
export const appArmorProfile = `abi <abi/4.0>,
include <tunables/global>

profile bwrap ${bubblewrapProgram} flags=(unconfined) {
  userns,
  include if exists <local/bwrap>
}`;

const restrictedByAppArmor: Diagnosis = (saw, machine) => {
  if (!isOfNamespaces(saw)) return undefined;
  if (machine.read(fileOf("kernel.apparmor_restrict_unprivileged_userns")) !== "1") return undefined;
  const isWritten =
    machine.isThere("/etc/apparmor.d/bwrap") || machine.isThere("/etc/apparmor.d/bwrap-userns-restrict");
  const write = `printf '%s\\n' '${appArmorProfile}' | sudo tee /etc/apparmor.d/bwrap`;
  const load = "sudo apparmor_parser -r /etc/apparmor.d/bwrap";
  return {
    unavailable: "AppArmor keeps bubblewrap from making user namespaces, as Ubuntu 24.04 is set up",
    remedy: isWritten
      ? `a profile is in /etc/apparmor.d, so load it: sudo systemctl reload apparmor; or, ${orExternal}`
      : `give it a profile that allows them, with these two commands (in a checkout of Sheaf: npm run install-sandbox):\n${write}\n${load}\nor, ${orExternal}`,
  };
};

const withoutSeccomp: Diagnosis = (saw, machine) => {
  const status = machine.read("/proc/self/status");
  const isBuiltIn = status === undefined || /^Seccomp:/m.test(status);
  if (isBuiltIn && !/PR_SET_SECCOMP|seccomp/i.test(saw)) return undefined;
  return {
    unavailable: `this kernel takes no seccomp filter${isBuiltIn ? `: ${lastLine(saw)}` : " (CONFIG_SECCOMP_FILTER)"}`,
    remedy: `boot the distribution's own kernel; or, ${orExternal}`,
  };
};

/** The kernel allows so many of each kind, and namespaces 32 deep. */
const nested: Diagnosis = (saw) => {
  if (!/nesting depth|ENOSPC|No space left/i.test(saw)) return undefined;
  return {
    unavailable: `there are no namespaces left for bubblewrap here: ${lastLine(saw)}`,
    remedy: `raise user.max_user_namespaces and its neighbours (sysctl user), or start Sheaf in fewer containers inside each other; or, ${orExternal}`,
  };
};

const restrictedBySelinux: Diagnosis = (_saw, machine) => {
  if (machine.read("/sys/fs/selinux/enforce") !== "1") return undefined;
  const context = (machine.read("/proc/self/attr/current") ?? "").replaceAll("\0", "");
  if (context === "" || /:unconfined_t(:|$)/.test(context)) return undefined;
  return {
    unavailable: `SELinux keeps bubblewrap from working in the context ${context.slice(0, 100)}`,
    remedy:
      "sudo ausearch -m avc -ts recent says what was denied; run Sheaf unconfined, or allow that much by a policy module",
  };
};

function fileOf(sysctl: string): string {
  return `/proc/sys/${sysctl.replaceAll(".", "/")}`;
}
