import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { lifeOf } from "./process-life.ts";

/**
 * What bubblewrap says of itself beside the command, and how all of it is ended: its monitor outside, the first process
 * of the namespace, and with that one, by the kernel, whatever else lives in there.
 */
export interface Watched {
  /** The command's exit code; undefined where there never was a command. */
  exitCode(): number | undefined;
  /** SIGTERM goes to the command and those in its session, SIGKILL to everything. */
  kill(signal: "SIGTERM" | "SIGKILL"): void;
  /** The last signal that was sent while it lived. */
  sent(): "SIGTERM" | "SIGKILL" | undefined;
  /** Settles when no process of the namespace is left. */
  gone(): Promise<void>;
}

export function watchBubblewrap(child: ChildProcess, status: Readable): Watched {
  let said = "";
  let sent: "SIGTERM" | "SIGKILL" | undefined;
  let first: FirstProcess | undefined;
  const killAll = () => {
    if (first && isAlive(first)) send(first.pid, "SIGKILL");
    if (child.pid !== undefined) send(-child.pid, "SIGKILL");
  };
  status.on("data", (chunk: Buffer) => {
    said += chunk.toString("latin1");
    const pid = numberIn(said, "child-pid");
    if (!first && pid !== undefined) first = { pid, since: lifeOf(pid)?.since };
    // It has left its monitor's group by the time its number is read.
    if (sent === "SIGKILL") killAll();
  });
  return {
    exitCode: () => numberIn(said, "exit-code"),
    sent: () => sent,
    kill(signal) {
      const isRunning = child.exitCode === null && child.signalCode === null;
      // It leads the session and ignores the signal; before there is a session, nobody is there to be asked.
      if (isRunning) sent = signal === "SIGTERM" && first && send(-first.pid, "SIGTERM") ? "SIGTERM" : "SIGKILL";
      if (!isRunning || sent === "SIGKILL") killAll();
    },
    async gone() {
      // Nobody tells the end of a process that is not a child; it takes well under a millisecond, rarely more.
      for (let looks = 0; first && isAlive(first) && looks < mostMs; looks++) await (looks < 8 ? turn() : sleep(1));
    },
  };
}

/** Only a process that waits for a broken disk takes that long, and no signal ends it. */
const mostMs = 10_000;

/** Told from a later process of the same number by when it began, whatever it calls itself. */
interface FirstProcess {
  pid: number;
  since: string | undefined;
}

function numberIn(said: string, name: string): number | undefined {
  const found = new RegExp(`"${name}": (\\d+)`).exec(said)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Until it is a zombie, which has seen all others of its namespace end. */
function isAlive({ pid, since }: FirstProcess): boolean {
  const life = lifeOf(pid);
  return life !== undefined && life.since === since && !/[ZX]/.test(life.state);
}

function send(pid: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
