/**
 * What a process says of its own work while nobody watches: for operators, never a result and never a source of
 * truth; that is the log of events. Whoever needs one takes it as an argument.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log, with these fields on every line. */
  with(fields: LogFields): Log;
}

/**
 * Flat on purpose: each text is redacted and cut by itself. Names shared by all lines are `trace_id`, `span_id`,
 * `job` (an id), `run` and `task`; `error` is any thrown thing, told as its message and code.
 */
export type LogFields = Readonly<Record<string, unknown>>;

/** Quietest last. */
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** For whoever has nothing to say, such as a command that runs one job and tells it on the terminal. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};
