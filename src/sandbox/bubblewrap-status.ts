import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

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
  const number = (name: string) => {
    const found = new RegExp(`"${name}": (\\d+)`).exec(said)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const first = () => number("child-pid");
  const killAll = () => {
    const pid = first();
    if (pid !== undefined && isFirstProcess(pid)) send(pid, "SIGKILL");
    if (child.pid !== undefined) send(-child.pid, "SIGKILL");
  };
  status.on("data", (chunk: Buffer) => {
    said += chunk.toString("latin1");
    // The first process has left its monitor's group by the time its number is read.
    if (sent === "SIGKILL") killAll();
  });
  return {
    exitCode: () => number("exit-code"),
    sent: () => sent,
    kill(signal) {
      if (child.exitCode === null && child.signalCode === null) sent = signal;
      const pid = first();
      // The namespace's first process leads the session and ignores it; before there is a session, nobody is to be asked.
      if (signal === "SIGTERM" && pid !== undefined && send(-pid, "SIGTERM")) return;
      sent = sent && "SIGKILL";
      killAll();
    },
    async gone() {
      const pid = first();
      // Nobody tells the end of a process that is not a child; it takes well under a millisecond, rarely more.
      while (pid !== undefined && isFirstProcess(pid)) await sleep(1);
    },
  };
}

/** It lives: a zombie has seen all others of its namespace end. Another program has another name. */
function isFirstProcess(pid: number): boolean {
  try {
    return /\(bwrap\) [^ZX]/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

function send(pid: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
