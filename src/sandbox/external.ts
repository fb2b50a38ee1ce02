import { type ChildProcess, spawn } from "node:child_process";
import { Fault } from "../protocol/failure.ts";
import type { Command, CommandOutcome, Sandbox } from "./driver.ts";
import { followChild } from "./follow-child.ts";
import { handOut } from "./hand-out.ts";
import { keepEntrance } from "./keep-entrance.ts";
import { programOf, refusalOf, refusedOutcome } from "./refused-start.ts";

/**
 * The operator's word that this machine is itself the sandbox. Commands get a clean environment, a time limit and a
 * process group that is killed as a whole; a child that leaves its group is not held, nor is the network or the disk.
 */
export interface ExternalOptions {
  /** The child's environment, complete. Nothing is inherited. */
  env: Readonly<Record<string, string>>;
  now: () => number;
}

export function createExternal(options: ExternalOptions): Sandbox {
  return {
    mode: "external",
    run: (command) => keepEntrance(command.cwd, () => runCommand(command, options)),
    placeOf: (cwd) => cwd,
    handOver: async () => {},
  };
}

async function runCommand(command: Command, options: ExternalOptions): Promise<CommandOutcome> {
  command.signal.throwIfAborted();
  const started = options.now();
  const child = start(command, options);
  if ("said" in child) return refusedOutcome(child);
  const kill = (signal: "SIGTERM" | "SIGKILL") => killGroup(child, signal);
  const { end, isTimedOut, kept } = await followChild(child, command, kill, handOut(command, child));
  command.signal.throwIfAborted();
  const durationMs = options.now() - started;
  if (!("refused" in end)) return { ...end, isTimedOut, durationMs, ...kept() };
  const refusal = typeof command.run === "string" ? undefined : refusalOf(command.run, end.refused);
  if (refusal) return { exit: refusal.exit, signal: null, isTimedOut, durationMs, ...kept(refusal.said) };
  const message = `${programOf(command.run)} could not be started: ${end.refused.message}`;
  throw new Fault("configuration", message, { cause: end.refused });
}

/** A shell is always there; the first word of a list may not be, and its list may be longer than the system takes. */
function start(command: Command, options: ExternalOptions) {
  const [program, ...words] = typeof command.run === "string" ? ["/bin/sh", "-c", command.run] : command.run;
  try {
    return spawn(program ?? "", words, {
      cwd: command.cwd,
      detached: true,
      stdio: [command.talk ? "pipe" : "ignore", "pipe", "pipe"],
      env: {
        ...command.env,
        ...command.secrets,
        ...options.env,
        ...(command.traceparent ? { TRACEPARENT: command.traceparent } : {}),
      },
    });
  } catch (cause) {
    const refusal = refusalOf(command.run, cause);
    if (!refusal) throw cause;
    return refusal;
  }
}

function killGroup(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in the group: that is what was wanted.
  }
}
