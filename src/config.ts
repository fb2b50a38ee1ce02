import { availableParallelism, homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { Fault } from "./protocol/failure.ts";

/**
 * The only reader of the environment. A variable that is empty counts as not set, and what cannot mean anything is
 * an error here rather than a surprise later. Values of secrets never enter a message.
 */
export interface Config {
  /** $SHEAF_HOME, absolute: the data folder. A relative one is taken from `cwd`. */
  home: string;
  /** Where the user's own files are (`~`). */
  userHome: string;
  /** PostgreSQL; absent means the embedded database below `home`. */
  databaseUrl?: string;
  /** The server that does the work, where somebody named one: $SHEAF_SERVER. */
  server?: string;
  /** $SHEAF_TOKEN, for that server; never shown. */
  token?: string;
  /** Where programs such as git are found. */
  path: string;
  isCi: boolean;
  noColor: boolean;
  /** $COLUMNS, where someone set it. */
  columns?: number;
  /** Files that a CI system reads after a step, absolute: $GITHUB_STEP_SUMMARY, $GITHUB_OUTPUT, $SHEAF_DOTENV. */
  ci: { stepSummary?: string; stepOutput?: string; dotenv?: string };
  /** One variable by its name, for what the operator's settings say is kept there. */
  variable(name: string): string | undefined;
  /** Every `OTEL_...` variable. */
  otel: Readonly<Record<string, string>>;
  /** A caller's trace context (W3C), if it is well formed. */
  traceparent?: string;
  /** As many as there are cores; `threads.count` of the operator's settings goes before it. */
  threads: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface Machine {
  platform: NodeJS.Platform;
  cwd: string;
  /** Where the user's files are when the environment does not say. */
  homedir: string;
  cores: number;
}

/** Throws Fault `configuration` for a variable that cannot be used. `machine` differs from this one only in tests. */
export function readConfig(env: Environment, machine: Machine = thisMachine()): Config {
  const set = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1])));
  const userHome = set.HOME ?? set.USERPROFILE ?? machine.homedir;
  const columns = Number(set.COLUMNS);
  return {
    home: set.SHEAF_HOME ? resolve(machine.cwd, set.SHEAF_HOME) : dataFolder(set, userHome, machine),
    userHome,
    ...(set.DATABASE_URL ? { databaseUrl: postgresUrl(set.DATABASE_URL) } : {}),
    ...(set.SHEAF_SERVER ? { server: set.SHEAF_SERVER } : {}),
    ...(set.SHEAF_TOKEN ? { token: set.SHEAF_TOKEN } : {}),
    // Windows spells it Path.
    path: set.PATH ?? set.Path ?? "",
    isCi: Boolean(set.CI) && !["0", "false"].includes((set.CI ?? "").toLowerCase()),
    noColor: set.NO_COLOR !== undefined || set.TERM === "dumb",
    ...(Number.isInteger(columns) && columns > 0 ? { columns } : {}),
    ci: ciFiles(set, machine.cwd),
    variable: (name) => set[name],
    otel: Object.fromEntries(Object.entries(set).filter(([name]) => name.startsWith("OTEL_"))),
    ...(isTraceparent(set.TRACEPARENT) ? { traceparent: set.TRACEPARENT } : {}),
    threads: Math.max(1, machine.cores),
  };
}

function thisMachine(): Machine {
  return { platform: process.platform, cwd: process.cwd(), homedir: homedir(), cores: availableParallelism() };
}

function ciFiles(set: Readonly<Record<string, string>>, cwd: string): Config["ci"] {
  return {
    ...(set.GITHUB_STEP_SUMMARY ? { stepSummary: resolve(cwd, set.GITHUB_STEP_SUMMARY) } : {}),
    ...(set.GITHUB_OUTPUT ? { stepOutput: resolve(cwd, set.GITHUB_OUTPUT) } : {}),
    ...(set.SHEAF_DOTENV ? { dotenv: resolve(cwd, set.SHEAF_DOTENV) } : {}),
  };
}

/** The platform's folder for a program's own data of one user. */
function dataFolder(set: Readonly<Record<string, string>>, userHome: string, { platform }: Machine): string {
  if (!isAbsolute(userHome)) {
    throw new Fault("configuration", "no home folder is known, so there is no place for Sheaf's data", {
      remedy: "set SHEAF_HOME to a folder that can be written",
    });
  }
  if (platform === "darwin") return join(userHome, "Library", "Application Support", "sheaf");
  if (platform === "win32") return join(set.LOCALAPPDATA ?? join(userHome, "AppData", "Local"), "sheaf");
  // The XDG base directory specification: a relative path is invalid and ignored.
  const shared = set.XDG_DATA_HOME && isAbsolute(set.XDG_DATA_HOME) ? set.XDG_DATA_HOME : undefined;
  return join(shared ?? join(userHome, ".local", "share"), "sheaf");
}

/** Only the scheme is looked at: the rest holds a password and is the driver's to judge. */
function postgresUrl(url: string): string {
  if (/^postgres(ql)?:\/\//.test(url)) return url;
  throw new Fault("configuration", "DATABASE_URL does not start with postgres:// or postgresql://", {
    remedy: "name a PostgreSQL database, or unset it to use the embedded one",
  });
}

/** W3C Trace Context, version 00: neither id is all zero. */
function isTraceparent(value: string | undefined): value is string {
  return value !== undefined && /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(value);
}
