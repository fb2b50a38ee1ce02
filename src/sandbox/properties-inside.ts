import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type NetConnectOpts } from "node:net";
import { networkInterfaces } from "node:os";

/**
 * A program, run as a command in the sandbox that is tried: it attempts what no command may be able to do, and prints
 * what came of it. It judges nothing, and nothing that succeeds does harm. Its only argument is a `Trial` as JSON.
 */
export interface Trial {
  /** Files of the host to read. */
  read: readonly string[];
  /** Files of the host to open for writing; nothing is written. */
  open: readonly string[];
  /** Files of the host to make. */
  make: readonly string[];
  /** Listeners of the host. */
  connect: readonly NetConnectOpts[];
  /** What stands in the command line and in the environment of another command, written backwards. */
  marks: { command: string; secret: string };
  /** Programs beside this one that make one system call each and exit with its error number. */
  calls: readonly string[];
  /** Folders that the operator's PATH names. */
  folders: readonly string[];
}

export interface Attempts {
  read: readonly string[];
  opened: readonly string[];
  made: readonly string[];
  connected: readonly string[];
  interfaces: readonly string[];
  /** Command lines of other processes than its own that hold the mark. */
  processes: readonly string[];
  secrets: readonly string[];
  /** Every variable of every process in sight. */
  environment: Readonly<Record<string, string>>;
  /** Exit codes; null where it could not be run. */
  calls: Readonly<Record<string, number | null>>;
  folders: readonly string[];
  status: string;
}

const trial: Trial = JSON.parse(process.argv[2] ?? "{}");

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

function reaches(to: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...to, timeout: 2_000 });
    const leave = (isReached: boolean) => {
      socket.destroy();
      resolve(isReached);
    };
    socket.on("connect", () => leave(true));
    socket.on("error", () => leave(false));
    socket.on("timeout", () => leave(false));
  });
}

const backwards = (text: string) => [...text].reverse().join("");
const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
const environments = processes.map((pid) => textOf(`/proc/${pid}/environ`));
const variables = environments.flatMap((text) => text.split("\0")).filter((line) => line.includes("="));
const isReached = await Promise.all(trial.connect.map(reaches));
const attempts: Attempts = {
  read: trial.read.filter((file) => succeeds(() => closeSync(openSync(file, "r")))),
  opened: trial.open.filter((file) => succeeds(() => closeSync(openSync(file, "r+")))),
  made: trial.make.filter((file) => succeeds(() => writeFileSync(file, "made by a trial of the sandbox\n"))),
  connected: trial.connect.filter((_to, index) => isReached[index]).map((to) => JSON.stringify(to)),
  interfaces: Object.keys(networkInterfaces()),
  processes: processes.filter((pid) => textOf(`/proc/${pid}/cmdline`).includes(backwards(trial.marks.command))),
  secrets: environments.filter((text) => text.includes(backwards(trial.marks.secret))).map(() => "environ"),
  environment: Object.fromEntries(
    variables.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  ),
  calls: Object.fromEntries(trial.calls.map((name) => [name, spawnSync(`./${name}`, { stdio: "ignore" }).status])),
  folders: trial.folders.filter((folder) => existsSync(folder)),
  status: textOf("/proc/self/status"),
};
process.stdout.write(JSON.stringify(attempts));
