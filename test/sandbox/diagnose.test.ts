import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { diagnose } from "../../src/sandbox/diagnose.ts";
import { installLine } from "../../src/sandbox/diagnose-installation.ts";
import { machineAt } from "../../src/sandbox/diagnose-machine.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sheaf-machine-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Here {
  files?: Readonly<Record<string, string>>;
  platform?: NodeJS.Platform;
  isRoot?: boolean;
  saw?: string;
}

/** A folder tree in the place of `/`: an ordinary Linux with everything, and on top of it what a test says. */
function diagnosed({ files = {}, platform = "linux", isRoot = false, saw = denied }: Here) {
  for (const [path, text] of Object.entries({ ...ordinary, ...files })) {
    if (text === gone) continue;
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (path.startsWith("/usr/bin/")) chmodSync(file, text === "setuid" ? 0o4755 : 0o755);
  }
  const machine = machineAt({ root, platform, isRoot, path: "/usr/bin:relative" });
  const { unavailable, remedy } = diagnose({ saw }, machine);
  return `${unavailable} | ${remedy}`;
}

const gone = "(gone)";
const denied = "bwrap: No permissions to create new namespace, likely because the kernel does not allow it\n";
const ordinary = {
  "/usr/bin/bwrap": "",
  "/usr/bin/setpriv": "",
  "/usr/bin/unshare": "",
  "/etc/os-release": 'NAME="Debian GNU/Linux"\nID=debian\n',
  "/proc/self/status": "Name:\tnode\nSeccomp:\t0\n",
  "/proc/self/ns/user": "",
  "/proc/self/attr/current": "unconfined\n",
  "/proc/1/cgroup": "0::/init.scope\n",
  "/proc/sys/user/max_user_namespaces": "96365\n",
  "/proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
};

const causes: [cause: string, here: Here, said: RegExp][] = [
  ["macOS", { platform: "darwin" }, /needs Linux, and this is macOS \| run Sheaf in a Linux container.*external/],
  ["Windows", { platform: "win32" }, /needs Linux, and this is Windows \|.*WSL 2/],
  ["the first WSL", { files: { "/proc/sys/kernel/osrelease": "4.4.0-19041-Microsoft" } }, /WSL 1.*--set-version/],
  [
    "a missing bwrap",
    { files: { "/usr/bin/bwrap": gone } },
    /not installed.*\| sudo apt-get install bubblewrap.*npm run install-sandbox/,
  ],
  [
    "a bwrap that is too old",
    { saw: "bwrap: Unknown option --disable-userns\n" },
    /older than 0\.8\.0: it does not know --disable-userns/,
  ],
  [
    "a bwrap that is setuid root",
    { files: { "/usr/bin/bwrap": "setuid" }, saw: "bwrap: --disable-userns is not supported in setuid mode" },
    /setuid root.*\| sudo chmod u-s \/usr\/bin\/bwrap/,
  ],
  [
    "no setpriv for root",
    { isRoot: true, files: { "/usr/bin/setpriv": gone } },
    /without setpriv \| install util-linux/,
  ],
  [
    "Debian's switch",
    { files: { "/proc/sys/kernel/unprivileged_userns_clone": "0\n" } },
    /kernel\.unprivileged_userns_clone is 0\) \| sudo sysctl -w kernel\.unprivileged_userns_clone=1/,
  ],
  [
    "a count of no namespaces",
    { files: { "/proc/sys/user/max_user_namespaces": "0\n" } },
    /user\.max_user_namespaces is 0\) \| sudo sysctl -w user\.max_user_namespaces=\d+;/,
  ],
  ["a kernel without namespaces", { files: { "/proc/self/ns/user": gone } }, /CONFIG_USER_NS/],
  [
    "AppArmor of Ubuntu 24.04",
    {
      files: { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n" },
      saw: "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
    },
    /AppArmor keeps.*profile bwrap \/usr\/bin\/bwrap flags=\(unconfined\) \{\n {2}userns,.*sudo tee \/etc\/apparmor\.d\/bwrap\nsudo apparmor_parser -r/s,
  ],
  [
    "an AppArmor profile that is not loaded",
    {
      files: {
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1",
        "/etc/apparmor.d/bwrap-userns-restrict": "profile",
      },
    },
    /AppArmor keeps.*systemctl reload apparmor/,
  ],
  ["a kernel without seccomp", { files: { "/proc/self/status": "Name:\tnode\n" } }, /CONFIG_SECCOMP_FILTER/],
  [
    "namespaces too deep",
    { saw: "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)" },
    /no namespaces left/,
  ],
  [
    "SELinux",
    { files: { "/sys/fs/selinux/enforce": "1", "/proc/self/attr/current": "system_u:system_r:httpd_t:s0\0" } },
    /SELinux keeps.*httpd_t:s0 \| sudo ausearch/,
  ],
  [
    "a folder that the account cannot reach",
    { isRoot: true, saw: "bwrap: Can't find source path /root/data/probe-1: Permission denied" },
    /cannot reach \/root\/data\/probe-1.*chmod o\+x/,
  ],
  [
    "Docker's seccomp filter",
    {
      files: {
        "/.dockerenv": "",
        "/proc/self/status": "Seccomp:\t2\n",
        "/proc/self/attr/current": "docker-default (enforce)",
      },
    },
    /Docker container does not let bubblewrap make a namespace \(its seccomp filter.*\| start it with: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined; or/,
  ],
  [
    "Docker's AppArmor profile",
    {
      files: { "/.dockerenv": "", "/proc/self/attr/current": "docker-default (enforce)" },
      saw: "bwrap: Failed to make / slave: Permission denied",
    },
    /mount \(it is confined by the profile docker-default/,
  ],
  [
    "Docker's masked /proc",
    { files: { "/.dockerenv": "" }, saw: "bwrap: Can't mount proc on /newroot/proc: Operation not permitted" },
    /mount a \/proc of its own.*systempaths=unconfined/,
  ],
  ["Podman", { files: { "/run/.containerenv": "" } }, /Podman container.*unmask=ALL/],
  [
    "Kubernetes",
    { files: { "/proc/1/cgroup": "0::/kubepods.slice/x", "/.dockerenv": "" } },
    /Kubernetes pod.*procMount: Unmasked/,
  ],
  ["LXC", { files: { "/run/systemd/container": "lxc\n" } }, /LXC container.*security\.nesting/],
  [
    "a switch of the machine below a container",
    { files: { "/.dockerenv": "", "/proc/sys/kernel/unprivileged_userns_clone": "0" } },
    /Docker container runs on a machine where kernel\.unprivileged_userns_clone is 0/,
  ],
  [
    "root without mounts, in a container that has all its options",
    {
      isRoot: true,
      files: { "/.dockerenv": "" },
      saw: "the sandbox could not be set up: unshare: unshare failed: Operation not permitted",
    },
    /root here and may not mount.*\| run Sheaf as an ordinary user.*SHEAF_HOME.*--cap-add SYS_ADMIN/,
  ],
  [
    "root without mounts, below AppArmor",
    {
      isRoot: true,
      files: { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1" },
      saw: "mount: /mnt: permission denied.",
    },
    /root here and may not mount/,
  ],
  [
    "root that cannot become another account",
    { isRoot: true, files: { "/.dockerenv": "" }, saw: "setpriv: setresuid failed: Operation not permitted" },
    /may not run a command as somebody else.*\| run Sheaf as an ordinary user.*CAP_SETUID/,
  ],
  [
    "root that cannot become another account at once",
    { isRoot: true, saw: "the sandbox could not be started: spawn /usr/bin/bwrap EPERM" },
    /may not run a command as somebody else/,
  ],
  [
    "a folder that cannot be reached, below AppArmor with its profile",
    {
      files: {
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1",
        "/etc/apparmor.d/bwrap": "profile",
      },
      saw: "bwrap: Can't find source path /data/x: Permission denied",
    },
    /cannot reach \/data\/x/,
  ],
  [
    "no prlimit, in a container",
    { files: { "/.dockerenv": "" }, saw: "bwrap: execvp /usr/bin/prlimit: No such file or directory" },
    /prlimit, which limits.*\| install util-linux/,
  ],
  [
    "something else in a container",
    { files: { "/.dockerenv": "" }, saw: "bwrap: a thing went wrong" },
    /on this machine: bwrap: a thing went wrong/,
  ],
  [
    "nothing that is known",
    { saw: "bwrap: a thing went wrong\n\n" },
    /on this machine: bwrap: a thing went wrong \| sheaf doctor.*external/,
  ],
];

describe("the diagnosis", () => {
  it.each(causes)("of %s names the cause and what mends it", (_cause, here, said) => {
    expect(diagnosed(here)).toMatch(said);
  });

  it("takes what the driver knew to say before it gives up", () => {
    diagnosed({});
    const machine = machineAt({ root, platform: "linux", isRoot: false, path: "" });
    expect(diagnose({ saw: "no account ci", remedy: "name another one" }, machine)).toEqual({
      unavailable: "bubblewrap cannot make a sandbox on this machine: no account ci",
      remedy: "name another one",
    });
  });

  it.each([
    ["ID=ubuntu\nID_LIKE=debian\n", "sudo apt-get install bubblewrap"],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', "sudo dnf install bubblewrap"],
    ["ID=alpine\n", "sudo apk add bubblewrap setpriv util-linux-misc"],
    ["ID=manjaro\nID_LIKE=arch\n", "sudo pacman -S bubblewrap"],
    ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "sudo zypper install bubblewrap"],
    ["", "install bubblewrap with the system's package manager"],
  ])("reads the system's package manager out of %j", (release, line) => {
    expect(installLine(release, { isRoot: false })).toBe(line);
    expect(installLine(release, { isRoot: true })).toBe(line.replace("sudo ", ""));
  });
});
