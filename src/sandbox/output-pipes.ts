import { execFile } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { ownMark } from "./process-life.ts";

/**
 * Pipes for what commands print. Node would give them sockets, and a socket cannot be opened by name: every script that
 * writes to /dev/stderr would fail. They are made a dozen at a time, as named pipes whose names are taken away at once.
 */
export interface OutputPipes {
  /** For the standard output and the standard error of one command. */
  take(): Promise<{ stdout: OutputPipe; stderr: OutputPipe }>;
}

export interface OutputPipe {
  /** The end that the command gets; closed here as soon as it has its copy. */
  descriptor: number;
  /** Ends when nobody holds the other end any more. */
  stream: Socket;
}

const batch = 12;

export function createOutputPipes(folder: string): OutputPipes {
  const ready: Ends[] = [];
  let making: Promise<void> | undefined;
  let count = 0;
  const make = async () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const paths = Array.from({ length: batch }, () => join(folder, `${ownMark()}${count++}`));
    // A command may be another account, and opens its own output by name; nobody else gets to a pipe without a name.
    await promisify(execFile)("/usr/bin/mkfifo", ["-m", "666", "--", ...paths], { env: {} });
    for (const path of paths) ready.push(openEnds(path));
  };
  return {
    async take() {
      for (;;) {
        const stdout = ready.length > 1 ? ready.pop() : undefined;
        const stderr = stdout && ready.pop();
        if (stdout && stderr) return { stdout: pipeOf(stdout), stderr: pipeOf(stderr) };
        making ??= make().finally(() => {
          making = undefined;
        });
        await making;
      }
    },
  };
}

interface Ends {
  read: number;
  write: number;
}

function pipeOf({ read, write }: Ends): OutputPipe {
  return { descriptor: write, stream: new Socket({ fd: read, readable: true, writable: false }) };
}

/** The reader first and without waiting: a writer is let in only where a reader is. */
function openEnds(path: string): Ends {
  try {
    const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return { read, write: openSync(path, constants.O_WRONLY) };
    } catch (cause) {
      closeSync(read);
      throw cause;
    }
  } finally {
    rmSync(path, { force: true });
  }
}
