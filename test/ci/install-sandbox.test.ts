import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appArmorProfile } from "../../src/sandbox/diagnose-kernel.ts";

const script = join(import.meta.dirname, "../../scripts/install-sandbox.sh");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sheaf install-"));
  mkdirSync(join(folder, "bin"));
  for (const tool of ["sh", "cat", "grep", "env", "touch"]) symlinkSync(real(tool), join(folder, "bin", tool));
  for (const [name, text] of Object.entries(ordinary)) program(name, text);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function real(tool: string): string {
  const found = ["/usr/bin", "/bin"].map((place) => join(place, tool)).find((file) => existsSync(file));
  return found ?? tool;
}

/** A program of the machine that a test stands for. Each call of `said` is written down. */
function program(name: string, text: string): void {
  const file = join(folder, "bin", name);
  writeFileSync(file, `#!/bin/sh\nsaid() { printf '%s\\n' "$*" >> '${folder}/said'; }\n${text}\n`);
  chmodSync(file, 0o755);
}

const ordinary = {
  uname: "echo Linux",
  id: "echo 1000",
  sudo: 'case "$2" in true) exit 0 ;; esac; said sudo "$@"; shift; exec "$@"',
};
/** Works where the file `ready` is. */
const bwrap = (help: string) =>
  `case "$1" in --help) echo '${help}' ;; *) [ -e '${folder}/ready' ] || { echo 'bwrap: refused' >&2; exit 1; } ;; esac`;
const newBwrap = () => bwrap("--disable-userns");
const oldBwrap = () => bwrap("--unshare-user");
const touch = (name: string) => `touch '${folder}/${name}'`;
const brings = (name: string, help: string) =>
  `cat > '${folder}/bin/bwrap' <<'END'\n#!/bin/sh\n${help}\nEND\n${real("chmod")} 755 '${folder}/bin/bwrap'; ${touch("ready")}; said ${name} "$@"`;

/** The script itself, but for the one place of bubblewrap, which stands for that of the machine. */
function scriptHere(): string {
  const own = "bwrap=/usr/bin/bwrap\n";
  const text = readFileSync(script, "utf8");
  expect(text.split(own)).toHaveLength(2);
  const file = join(folder, "install-sandbox.sh");
  writeFileSync(file, text.replace(own, `bwrap='${folder}/bin/bwrap'\n`));
  return file;
}

function install() {
  const { status, stdout, stderr } = spawnSync("/bin/sh", [scriptHere()], {
    env: { PATH: join(folder, "bin") },
    encoding: "utf8",
  });
  const file = join(folder, "said");
  return { status, stdout, stderr, said: existsSync(file) ? readFileSync(file, "utf8") : "" };
}

describe("scripts/install-sandbox.sh", () => {
  it("does nothing and says nothing where bubblewrap works", () => {
    program("bwrap", newBwrap());
    program("apt-get", "said apt-get");
    writeFileSync(join(folder, "ready"), "");
    expect(install()).toEqual({ status: 0, stdout: "", stderr: "", said: "" });
  });

  it.each([
    ["apt-get", "install --yes --no-install-recommends bubblewrap"],
    ["dnf", "install --assumeyes bubblewrap util-linux"],
    ["yum", "install --assumeyes bubblewrap util-linux"],
    ["apk", "add bubblewrap setpriv util-linux-misc"],
    ["pacman", "--sync --needed --noconfirm bubblewrap"],
    ["zypper", "--non-interactive install bubblewrap"],
  ])("installs it with %s, through sudo", (manager, words) => {
    program(manager, brings(manager, newBwrap()));
    const { status, stderr, said } = install();
    expect({ status, said }, stderr).toEqual({
      status: 0,
      said: `sudo -n env DEBIAN_FRONTEND=noninteractive ${manager} ${words}\n${manager} ${words}\n`,
    });
  });

  it("installs it as root without sudo, and tries it as somebody else", () => {
    program("id", "echo 0");
    program("sudo", "said sudo; exit 1");
    program("setpriv", 'said "$1"; shift 4; exec "$@"');
    program("apt-get", brings("apt-get", newBwrap()));
    const { status, stderr, said } = install();
    expect(status, stderr).toBe(0);
    expect(said).not.toContain("sudo");
    expect(said.trimEnd().split("\n").at(-1)).toBe("--reuid=62000");
  });

  it("fetches the lists of packages where none are there yet", () => {
    program(
      "apt-get",
      `case "$1" in update) ${touch("lists")} ;; *) [ -e '${folder}/lists' ] || exit 100; ${brings("apt-get", newBwrap())} ;; esac`,
    );
    expect(install()).toMatchObject({ status: 0 });
  });

  it("replaces one that is too old", () => {
    program("bwrap", oldBwrap());
    program("apt-get", brings("apt-get", newBwrap()));
    expect(install()).toMatchObject({ status: 0, said: expect.stringContaining("apt-get install") });
  });

  it("says the line to type where it may not install", () => {
    program("sudo", "exit 1");
    program("apt-get", "said apt-get");
    expect(install()).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "error bubblewrap is missing or too old, and installing it needs root\n" +
        "  try: sudo apt-get install --yes --no-install-recommends bubblewrap\n",
      said: "",
    });
  });

  it("says so where the packages cannot be had, and where it knows no package manager", () => {
    program("apt-get", "exit 100");
    expect(install()).toMatchObject({ status: 1, stderr: expect.stringContaining("could not be installed") });
    rmSync(join(folder, "bin/apt-get"));
    expect(install()).toMatchObject({ status: 1, stderr: expect.stringContaining("install bubblewrap 0.8.0") });
  });

  it("gives it the AppArmor profile that the diagnosis names, only where AppArmor restricts namespaces", () => {
    program("bwrap", newBwrap());
    program("sysctl", "echo 1");
    program("tee", `said tee "$@"; cat > '${folder}/profile'`);
    program("apparmor_parser", `said apparmor_parser "$@"; ${touch("ready")}`);
    const { status, stderr, said } = install();
    expect(status, stderr).toBe(0);
    expect(said).toContain("tee /etc/apparmor.d/bwrap\n");
    expect(said).toContain("apparmor_parser -r /etc/apparmor.d/bwrap\n");
    expect(readFileSync(join(folder, "profile"), "utf8")).toBe(`${appArmorProfile}\n`);
  });

  it("changes nothing where bubblewrap is refused for another reason, and says what it saw", () => {
    program("bwrap", newBwrap());
    program("sysctl", "echo 0");
    program("apparmor_parser", "said apparmor_parser");
    const { status, stderr, said } = install();
    expect({ status, said }).toEqual({ status: 1, said: "" });
    expect(stderr).toMatch(/cannot make a sandbox here: bwrap: refused\n {2}try: .*doctor/);
  });

  it("leaves other systems alone", () => {
    program("uname", "echo Darwin");
    program("apt-get", "said apt-get");
    expect(install()).toMatchObject({ status: 0, said: "", stderr: expect.stringContaining("needs Linux") });
  });
});
