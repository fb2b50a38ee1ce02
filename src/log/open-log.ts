import { inspect } from "node:util";
import pino from "pino";
import { toFailure } from "../protocol/failure.ts";
import type { Log, LogFields, LogLevel } from "./log.ts";

/**
 * Lines of JSON on one stream, each with `level`, `time` (ISO 8601) and `message`. Nothing passes that has not been
 * redacted: texts one by one, before they become JSON, so that a hidden secret never breaks a line.
 */
export interface LogOptions {
  /** Default info. */
  level?: LogLevel;
  /** `json` (default), or `text`: the same fields as one plain line. */
  format?: "json" | "text";
  redact: (text: string) => string;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Takes a line with its newline: stderr. */
  write: (line: string) => void;
  /** Fields of the moment a line is written, such as the ids of the span that is open. */
  context?: () => LogFields;
}

export function openLog(options: LogOptions): Log {
  const { level = "info", format = "json", now, write, context } = options;
  const root = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      ...(context ? { mixin: () => clean(context(), options.redact) } : {}),
    },
    { write: format === "json" ? write : (line: string) => write(asText(line)) },
  );
  return logOver(root, options.redact);
}

function logOver(logger: pino.Logger, redact: LogOptions["redact"]): Log {
  const line =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}) => {
      if (logger.isLevelEnabled(level)) logger[level](clean(fields, redact), cut(redact(message)));
    };
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    with: (fields) => logOver(logger.child(clean(fields, redact)), redact),
  };
}

/** Longest text of a field or a message. */
const mostCharacters = 4_000;
/** Names that pino writes itself; a field of that name would stand twice in a line. */
const taken = new Set(["level", "time", "message"]);

function clean(fields: LogFields, redact: LogOptions["redact"]): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => {
      const own = taken.has(name) ? `${name}_` : name;
      if (name !== "error") return [[own, plain(value, redact)]];
      const { code, message } = toFailure(value);
      return [
        ["error", cut(redact(message))],
        ["error_code", code],
      ];
    }),
  );
}

function plain(value: unknown, redact: LogOptions["redact"]): unknown {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  return cut(redact(typeof value === "string" ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY })));
}

function cut(text: string): string {
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters).toWellFormed()}… [cut]` : text;
}

/** `2026-01-01T00:00:00.000Z info message name=value`; a value with spaces stands as JSON. */
function asText(line: string): string {
  const { level, time, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const told = Object.entries(fields).map(([name, value]) => `${name}=${bare(value)}`);
  return `${[time, level, visible(String(message)), ...told].join(" ")}\n`;
}

function bare(value: unknown): string {
  return typeof value === "string" && /^[\w./:@+-]+$/.test(value) ? value : visible(JSON.stringify(value));
}

/** A line stays a line, and a terminal obeys nothing that stands in it. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (mark) => {
    return `\\u${(mark.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}
