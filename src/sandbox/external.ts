import { type ChildProcess, spawn } from "node:child_process";
import { Fault } from "../protocol/failure.ts";
import { createCapture } from "./capture.ts";
import type { Command, CommandOutcome, Sandbox } from "./driver.ts";

/**
 * The operator's word that this machine is itself the sandbox. Commands get a clean environment, a time limit and a
 * process group that is killed as a whole; a child that leaves its group is not held, nor is the network or the disk.
 */
export interface ExternalOptions {
  /** The child's environment, complete. Nothing is inherited. */
  env: Readonly<Record<string, string>>;
  now: () => number;
}

const keptOutput = { headBytes: 64 * 1024, tailBytes: 192 * 1024 };
/** From the polite signal to the final one. */
const graceMs = 2_000;
/** How long a background child may hold the output open after the command itself has ended. */
const lingerMs = 500;

export function createExternal(options: ExternalOptions): Sandbox {
  return { mode: "external", run: (command) => runCommand(command, options) };
}

async function runCommand(command: Command, options: ExternalOptions): Promise<CommandOutcome> {
  command.signal.throwIfAborted();
  const started = options.now();
  const child = spawn("/bin/sh", ["-c", command.run], {
    cwd: command.cwd,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...options.env, ...(command.traceparent ? { TRACEPARENT: command.traceparent } : {}) },
  });
  const capture = createCapture(keptOutput);
  child.stdout.on("data", (chunk: Buffer) => capture.add(chunk));
  child.stderr.on("data", (chunk: Buffer) => capture.add(chunk));
  const readStdout = keepStdout(child, command.stdoutBytes);
  let isTimedOut = false;
  const timer = setTimeout(() => {
    isTimedOut = true;
    endGroup(child);
  }, command.timeoutMs);
  const cancel = () => endGroup(child);
  // Whoever leaves in a hurry leaves nothing running behind.
  const leave = () => killGroup(child, "SIGKILL");
  process.once("exit", leave);
  command.signal.addEventListener("abort", cancel, { once: true });
  try {
    const { exit, signal } = await ended(child);
    command.signal.throwIfAborted();
    const durationMs = options.now() - started;
    return {
      exit,
      signal,
      isTimedOut,
      durationMs,
      output: capture.read(),
      outputBytes: capture.bytes,
      ...readStdout(),
    };
  } finally {
    clearTimeout(timer);
    command.signal.removeEventListener("abort", cancel);
    process.off("exit", leave);
    killGroup(child, "SIGKILL");
  }
}

function keepStdout(child: ChildProcess, mostBytes: number | undefined): () => Pick<CommandOutcome, "stdout"> {
  if (mostBytes === undefined) return () => ({});
  const chunks: Buffer[] = [];
  let room = mostBytes;
  child.stdout?.on("data", (chunk: Buffer) => {
    if (room > 0) chunks.push(chunk.subarray(0, room));
    room -= chunk.length;
  });
  return () => ({ stdout: { bytes: Buffer.concat(chunks), isCut: room < 0 } });
}

function ended(child: ChildProcess): Promise<{ exit: number | null; signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.on("error", (cause) =>
      reject(new Fault("configuration", `/bin/sh could not be started: ${cause.message}`, { cause })),
    );
    child.on("exit", (exit, signal) => {
      const leave = () => resolve({ exit, signal });
      const lingering = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        leave();
      }, lingerMs);
      child.on("close", () => {
        clearTimeout(lingering);
        leave();
      });
    });
  });
}

function endGroup(child: ChildProcess): void {
  killGroup(child, "SIGTERM");
  setTimeout(() => killGroup(child, "SIGKILL"), graceMs).unref();
}

function killGroup(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in the group: that is what was wanted.
  }
}
