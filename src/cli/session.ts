import type { Config } from "../config.ts";
import type { LocalCoordinator } from "../coordinator/coordinator.ts";
import type { Equipment } from "../coordinator/equipment.ts";
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
  /** Takes the data folder's lock and opens the store. Throws Fault `locked` while another process owns it. */
  open(command: string, more?: OpenOptions): Promise<Session>;
  /** Calls back on SIGINT and SIGTERM until released; the second one ends the process at once. */
  onSignal(listener: (signal: "SIGINT" | "SIGTERM") => void): () => void;
}

export interface OpenOptions {
  /** `--config`. */
  settingsFile?: string | undefined;
  /** Top level of the repository being worked on, from inside which no settings are read. */
  repository?: string;
}

export interface Session extends AsyncDisposable {
  coordinator: LocalCoordinator;
  equipment: Equipment;
}
