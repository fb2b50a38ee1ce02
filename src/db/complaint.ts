import { Fault, type FaultCode } from "../protocol/failure.ts";

/**
 * What a driver threw, in our terms. Reads only codes and the database's own message: drizzle's message repeats the
 * statement with its values, and a connection string holds a password, so neither is ever shown.
 */
export interface Complaint {
  kind: "connection" | "rivalry" | "value" | "fault" | "full" | "dead" | "other";
  /** SQLSTATE or the code of the operating system; "" when there is none. */
  code: string;
  message: string;
}

const lost =
  /Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying|server closed the connection/i;
const lostCodes =
  /^(08...|57P0[123]|53300|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

export function complaint(thrown: unknown): Complaint {
  if (thrown instanceof Fault) return { kind: "fault", code: thrown.code, message: thrown.message };
  const root = rootOf(thrown);
  const code = root instanceof Error && "code" in root ? String(root.code) : "";
  const message = messageOf(root);
  return { kind: isDeath(root) ? "dead" : kindOf(code, message), code, message };
}

/** Of the embedded database, which is not restarted in its process: a panic, or a trap of the WebAssembly machine. */
function isDeath(root: unknown): boolean {
  if (!(root instanceof Error)) return false;
  return (
    ("severity" in root && root.severity === "PANIC") || root.name === "RuntimeError" || root.name === "ExitStatus"
  );
}

function kindOf(code: string, message: string): Complaint["kind"] {
  if (lostCodes.test(code) || lost.test(message)) return "connection";
  if (code === "40001" || code === "40P01") return "rivalry";
  // disk_full: there may be room again.
  if (code === "53100") return "full";
  return /^(22|23|54)...$/.test(code) ? "value" : "other";
}

/** drizzle and `AggregateError` (a host with several addresses) wrap what happened. */
function rootOf(thrown: unknown): unknown {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return rootOf(thrown.errors[0]);
  if (thrown instanceof Error && thrown.cause instanceof Error) return rootOf(thrown.cause);
  return thrown;
}

function messageOf(root: unknown): string {
  const said = root instanceof Error ? root.message : String(root);
  return said.startsWith("Failed query:") ? "the query failed" : said.slice(0, 500);
}

/** The Fault for it. `what` was attempted, `on` is the database's address. */
export function toFault(thrown: unknown, context: { what: string; on: string }): Fault {
  if (thrown instanceof Fault) return thrown;
  const found = complaint(thrown);
  const { code, remedy } = verdict(found);
  return new Fault(code, `could not ${context.what} (${context.on}): ${found.message}`, {
    ...(remedy ? { remedy } : {}),
    cause: rootOf(thrown),
  });
}

const verdicts: readonly { when: RegExp; code: FaultCode; remedy: string }[] = [
  {
    when: /^(53100|ENOSPC|EDQUOT|EFBIG)\b|No space left|File too large|quota exceeded|ENOSPC|EFBIG/i,
    code: "storage_full",
    remedy: "free some space on that disk and run it again; what was acknowledged is kept",
  },
  {
    when: /^(25006|EROFS|EACCES|EPERM)\b|Read-only file system|EROFS/i,
    code: "read_only",
    remedy: "check who may write there, or point SHEAF_HOME (or DATABASE_URL) elsewhere",
  },
  {
    when: /^(28...|42501)\b/,
    code: "credentials",
    remedy: "check the user and password in DATABASE_URL, and that this user may create schemas in that database",
  },
  { when: /^3D000\b/, code: "configuration", remedy: "create that database, or correct DATABASE_URL" },
];

function verdict(found: Complaint): { code: FaultCode; remedy?: string } {
  const text = `${found.code} ${found.message}`;
  const known = verdicts.find((candidate) => candidate.when.test(text));
  if (known) return known;
  if (found.kind === "connection") {
    return { code: "database_unavailable", remedy: "check that the database runs and can be reached from here" };
  }
  return { code: "internal" };
}
