import { type ChildProcess, spawn } from "node:child_process";
import { Fault } from "../protocol/failure.ts";
import { type Capture, createCapture } from "./capture.ts";
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
  return {
    mode: "external",
    run: (command) => runCommand(command, options),
    placeOf: (cwd) => cwd,
    handOver: async () => {},
  };
}

async function runCommand(command: Command, options: ExternalOptions): Promise<CommandOutcome> {
  command.signal.throwIfAborted();
  const started = options.now();
  const child = start(command, options);
  if (typeof child === "string") return unstartable(command, child);
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
    const { exit, signal } = await ended(child, command, capture);
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

/** A shell is always there; the first word of a list may not be, and its list may be longer than the system takes. */
function start(command: Command, options: ExternalOptions) {
  const [program, ...words] = typeof command.run === "string" ? ["/bin/sh", "-c", command.run] : command.run;
  try {
    return spawn(program ?? "", words, {
      cwd: command.cwd,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...command.env,
        ...command.secrets,
        ...options.env,
        ...(command.traceparent ? { TRACEPARENT: command.traceparent } : {}),
      },
    });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (!(code in refusals)) throw cause;
    return code;
  }
}

/** What the system says when it cannot start a program that somebody named. */
const refusals: Readonly<Record<string, { exit: number; message: string }>> = {
  ENOENT: { exit: 127, message: "no such program" },
  EACCES: { exit: 126, message: "it may not be run" },
  ENOEXEC: { exit: 126, message: "it is no program" },
  ENOTDIR: { exit: 127, message: "no such program" },
  E2BIG: {
    exit: 126,
    message: "its arguments and variables are longer than the system takes; give each task fewer files",
  },
  ERR_INVALID_ARG_VALUE: { exit: 126, message: "an argument or variable holds a NUL, or no program is named" },
};

function unstartable({ run }: Command, code: string): CommandOutcome {
  const said = Buffer.from(`${nameOf(run)}: ${refusals[code]?.message ?? code}\n`);
  const exit = refusals[code]?.exit ?? 126;
  return { exit, signal: null, isTimedOut: false, durationMs: 0, output: said, outputBytes: said.length };
}

function nameOf(run: Command["run"]): string {
  return typeof run === "string" ? "/bin/sh" : JSON.stringify(run[0] ?? "");
}

function ended(
  child: ChildProcess,
  { run }: Command,
  capture: Capture,
): Promise<{ exit: number | null; signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      const refusal = refusals["code" in cause ? String(cause.code) : ""];
      if (typeof run === "string" || !refusal) {
        const message = `${nameOf(run)} could not be started: ${cause.message}`;
        return reject(new Fault("configuration", message, { cause }));
      }
      capture.add(Buffer.from(`${nameOf(run)}: ${refusal.message}\n`));
      resolve({ exit: refusal.exit, signal: null });
    });
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
