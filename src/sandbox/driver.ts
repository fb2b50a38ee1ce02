/**
 * How a command of a check, a step or a setup (later: of a tool) is run. A driver never decides whether a command may run; it runs it,
 * bounded in time and output, and leaves nothing behind that it can see.
 */
export interface Command {
  /** A shell command line as the job's author wrote it, or the words of a command that meets no shell. */
  run: string | readonly string[];
  /** Absolute path of the tree it runs in. */
  cwd: string;
  /** Wall clock. */
  timeoutMs: number;
  /** Further variables; none of them replaces one that the operator's surroundings set. */
  env?: Readonly<Record<string, string>>;
  /** W3C trace context for what the command itself may trace. */
  traceparent?: string;
  signal: AbortSignal;
  /** Keep what it prints to its standard output by itself as well, up to so many bytes. */
  stdoutBytes?: number;
}

export interface CommandOutcome {
  /** null when a signal ended it; 127 when its program was not found, 126 when it could not be run (as a shell says). */
  exit: number | null;
  signal: string | null;
  isTimedOut: boolean;
  durationMs: number;
  /** Both streams as they came, the middle left out where it was too long. */
  output: Buffer;
  /** What it printed in all, kept or not. */
  outputBytes: number;
  /** Where it was asked for: the standard output alone. `isCut` says that there was more than is kept. */
  stdout?: { bytes: Buffer; isCut: boolean };
}

export interface Sandbox {
  /** How commands are isolated: `external` means by the operator's own surroundings, not by Sheaf. */
  readonly mode: "external";
  /** Rejects with the signal's reason when aborted, after the command is gone; throws Fault if it cannot start. */
  run(command: Command): Promise<CommandOutcome>;
}
