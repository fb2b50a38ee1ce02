import type { Config } from "../config.ts";
import { readOwner } from "../db/lock.ts";

/**
 * Loads what a session of this process is made of while its command still waits for git to say what the repository is.
 * It opens nothing and tells nobody, since the command may yet fail on what it was given.
 */
export function foresee({ home, databaseUrl }: Pick<Config, "home" | "databaseUrl">): void {
  if (databaseUrl === undefined && readOwner(home)?.socket !== undefined) return;
  const loading = [import("./own-session.ts"), databaseUrl === undefined ? import("../db/open-pglite.ts") : undefined];
  // Whoever needs it loads it again, and hears why it cannot be.
  void Promise.allSettled(loading);
}
