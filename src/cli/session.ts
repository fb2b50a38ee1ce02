import type { Config } from "../config.ts";
import type { Coordinator, LocalCoordinator } from "../coordinator/coordinator.ts";
import type { Equipment } from "../coordinator/equipment.ts";
import type { AuditLog } from "../db/audit.ts";
import type { LogLevel } from "../log/log.ts";
import type { AuditPage } from "../protocol/audited-call.ts";
import type { Settings } from "../settings.ts";
import type { Git } from "../workspace/git.ts";
import type { Terminal } from "./terminal.ts";

/** What a verb is given. Only main knows how it is built. */
export interface Surroundings {
  config: Config;
  terminal: Terminal;
  git: Git;
  version: string;
  now(): number;
  /** Where the command was started. */
  cwd: string;
  /** All of standard input, for whoever is told to read it. */
  readInput(): Promise<string>;
  /** Begins to load what `open` will need, for whoever has to wait for something else first. Opens nothing. */
  foresee?(): void;
  /** Takes the data folder's lock and opens the store. Throws Fault `locked` while another process owns it. */
  open(command: string, more?: OpenOptions): Promise<Session>;
  /** Serves a session of this process at a port, for whoever has a token. Throws Fault `configuration`. */
  listen(session: Session, place: { host: string; port: number; logLevel?: LogLevel | undefined }): Promise<Serving>;
  /** Calls back on SIGINT and SIGTERM until released; the second one ends the process at once. */
  onSignal(listener: (signal: "SIGINT" | "SIGTERM") => void): () => void;
}

export interface OpenOptions {
  /** `--config`. */
  settingsFile?: string | undefined;
  /** Top level of the repository being worked on, from inside which no settings are read. */
  repository?: string;
  /** `--server`. */
  server?: string | undefined;
  /** The command may take minutes: others on the same data folder are served meanwhile. */
  isLong?: boolean;
  /** Nothing but this process will do: there is no joining another one. */
  isOwnNeeded?: boolean;
}

export interface Serving {
  url: string;
  /** Takes no new jobs from now on. */
  drain(): void;
  /** Ends streams, lets other requests finish, closes what is left. */
  close(): Promise<void>;
}

export interface Session extends AsyncDisposable {
  coordinator: Coordinator;
  /** Where this process does the work itself. */
  own?: { equipment: Equipment; coordinator: LocalCoordinator; settings: Settings; audit: AuditLog };
  /** The audit log of whoever does the work. */
  audit(page: { limit: number; after?: string | undefined }): Promise<AuditPage>;
  /** Who does the work: this process, another one of this user's, or a server elsewhere that sees none of our files. */
  reach: "own" | "socket" | "server";
}
