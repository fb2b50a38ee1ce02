import type { Readable, Writable } from "node:stream";

/**
 * How a command of a check, a step, a setup or a tool is run. A driver never decides whether a command may run; it runs
 * it, bounded in what it can reach, in time and in output, and leaves nothing behind.
 */
export interface Command {
  /** A shell command line as its author wrote it, or the words of a command that meets no shell. */
  run: string | readonly string[];
  /** Absolute path of the tree it runs in: the only place of the machine that it can change. */
  cwd: string;
  /** Wall clock. */
  timeoutMs: number;
  /** Further variables; none of them replaces one that the operator's surroundings set. */
  env?: Readonly<Record<string, string>>;
  /** Variables with values that nobody but this command may see. */
  secrets?: Readonly<Record<string, string>>;
  /** Absolute folders that it may read where they are, such as the git objects behind its tree. */
  readable?: readonly string[];
  /** Where it may connect to, through Sheaf. Absent or empty: nowhere. */
  network?: NetworkGrant;
  /** W3C trace context for what the command itself may trace. */
  traceparent?: string;
  signal: AbortSignal;
  /** Keep what it prints to its standard output by itself as well, up to so many bytes. */
  stdoutBytes?: number;
  /**
   * Whoever speaks with it while it runs, by its standard input and output: told once it has begun, and what it prints
   * there is not kept. Without one its standard input is empty.
   */
  talk?(pipes: TalkPipes): void;
}

export interface TalkPipes {
  /** Errors of it are nobody's: a command that is gone is told by the end of its run. */
  stdin: Writable;
  /** Ends with the command at the latest. */
  stdout: Readable;
  /** Kept as that of any command, and there to be listened to. */
  stderr: Readable;
}

/** Hosts with their ports, and who is told of each request when it is over, let through or not. */
export interface NetworkGrant {
  targets: readonly NetworkTarget[];
  heard(request: NetworkRequest): void;
}

/** `*.example.com` is every name below it. */
export interface NetworkTarget {
  host: string;
  port: number;
}

export interface NetworkRequest {
  host: string;
  port: number;
  /** The address it was connected to; absent where it was refused before there was one. */
  address?: string;
  /** Why it was refused; absent where it was let through. */
  refused?: string;
  bytesSent: number;
  bytesReceived: number;
  durationMs: number;
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
  readonly mode: "bubblewrap" | "external";
  /** Rejects with the signal's reason when aborted, after the command is gone; throws Fault if it cannot start. */
  run(command: Command): Promise<CommandOutcome>;
  /** Where a command sees the tree that is at `cwd` on this machine. */
  placeOf(cwd: string): string;
  /** Gives files that Sheaf wrote below `root` to the account that commands run as. No command may run there meanwhile. */
  handOver(root: string): Promise<void>;
}

/** Why no command can run on this machine, and what its operator can do about that very cause. */
export interface NoSandbox {
  unavailable: string;
  remedy: string;
}
