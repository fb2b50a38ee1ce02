import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { createCapture } from "./capture.ts";
import type { Command, CommandOutcome } from "./driver.ts";

/**
 * What is the same for every driver: what a child prints is kept in bounded memory, its time and its cancellation are
 * watched, and its end is its output's end as well. How it is killed is the driver's.
 */
export interface Followed {
  /** As the system told it, or what the system said when it could not start the program. */
  end: { exit: number | null; signal: string | null } | { refused: NodeJS.ErrnoException };
  isTimedOut: boolean;
  /** What it printed, and something of the driver's own at the end of it. */
  kept(more?: string): Pick<CommandOutcome, "output" | "outputBytes" | "stdout">;
}

const keptOutput = { headBytes: 64 * 1024, tailBytes: 192 * 1024 };
/** From the polite signal to the final one. Whoever cancels is waiting. */
const graceMs = { timedOut: 2_000, cancelled: 500 };
/** How long a background child may hold the output open after the command itself has ended. */
const lingerMs = 500;

/** Whoever leaves in a hurry leaves nothing running behind. */
const atExit = new Set<() => void>();
process.on("exit", () => {
  for (const leave of atExit) leave();
});

export async function followChild(
  child: ChildProcess,
  command: Pick<Command, "timeoutMs" | "signal" | "stdoutBytes">,
  kill: (signal: "SIGTERM" | "SIGKILL") => void,
  printed: Printed = child,
): Promise<Followed> {
  const capture = createCapture(keptOutput);
  printed.stdout?.on("data", (chunk: Buffer) => capture.add(chunk));
  printed.stderr?.on("data", (chunk: Buffer) => capture.add(chunk));
  const readStdout = keepStdout(printed, command.stdoutBytes);
  let isTimedOut = false;
  let final: NodeJS.Timeout | undefined;
  const endWithin = (ms: number) => {
    kill("SIGTERM");
    clearTimeout(final);
    final = setTimeout(() => kill("SIGKILL"), ms).unref();
  };
  const cancel = () => endWithin(graceMs.cancelled);
  const timer = setTimeout(() => {
    isTimedOut = true;
    endWithin(graceMs.timedOut);
  }, command.timeoutMs);
  const leave = () => kill("SIGKILL");
  atExit.add(leave);
  command.signal.addEventListener("abort", cancel, { once: true });
  if (command.signal.aborted) cancel();
  try {
    const end = await ended(child, printed);
    const kept = (more = "") => {
      capture.add(Buffer.from(more));
      return { output: capture.read(), outputBytes: capture.bytes, ...readStdout() };
    };
    return { end, isTimedOut, kept };
  } finally {
    clearTimeout(timer);
    clearTimeout(final);
    command.signal.removeEventListener("abort", cancel);
    atExit.delete(leave);
    kill("SIGKILL");
  }
}

/** The ends by which a child's output is read, where they are not the child's own. */
export interface Printed {
  stdout: Readable | null;
  stderr: Readable | null;
  /** Read by somebody else, and over with the child all the same. */
  left?: readonly Readable[];
}

function keepStdout({ stdout }: Printed, mostBytes: number | undefined): () => Pick<CommandOutcome, "stdout"> {
  if (mostBytes === undefined) return () => ({});
  const chunks: Buffer[] = [];
  let room = mostBytes;
  stdout?.on("data", (chunk: Buffer) => {
    if (room > 0) chunks.push(chunk.subarray(0, room));
    room -= chunk.length;
  });
  return () => ({ stdout: { bytes: Buffer.concat(chunks), isCut: room < 0 } });
}

function ended(child: ChildProcess, printed: Printed): Promise<Followed["end"]> {
  const streams = [printed.stdout, printed.stderr, ...(printed.left ?? [])].filter((stream) => stream !== null);
  const closed = Promise.all([child, ...streams].map((one) => new Promise((resolve) => one.once("close", resolve))));
  return new Promise((resolve) => {
    child.on("error", (refused) => {
      for (const stream of streams) stream.destroy();
      resolve({ refused });
    });
    child.on("exit", (exit, signal) => {
      const lingering = setTimeout(() => {
        for (const stream of streams) stream.destroy();
        resolve({ exit, signal });
      }, lingerMs);
      void closed.then(() => {
        clearTimeout(lingering);
        resolve({ exit, signal });
      });
    });
  });
}
