import { z } from "zod";

/** Why something did not happen, as data: it may cross a thread, enter the log and be shown to a person. */
export const failure = z.object({
  code: z.string(),
  /** What was attempted, on what, and what went wrong. Never holds a secret. */
  message: z.string(),
  /** What to try next. */
  remedy: z.string().optional(),
});
export type Failure = z.infer<typeof failure>;

/**
 * The codes a Fault may carry and the exit code of each (sysexits.h: 64 usage, 65 data, 69 unavailable,
 * 70 software, 75 temporary, 77 permission, 78 configuration).
 */
export const faultExits = {
  usage: 64,
  not_a_repository: 64,
  no_commits: 64,
  unknown_ref: 64,
  unknown_job: 64,
  idempotency: 64,
  bundle: 65,
  unsupported_repository: 64,
  job_file: 65,
  rule: 65,
  script: 65,
  replay: 65,
  provider_unavailable: 69,
  internal: 70,
  git: 70,
  storage_full: 75,
  locked: 75,
  database_unavailable: 75,
  conflict: 75,
  overloaded: 75,
  fenced: 75,
  credentials: 77,
  not_allowed: 77,
  read_only: 78,
  database_newer: 78,
  sandbox_unavailable: 78,
  configuration: 78,
} as const;
export type FaultCode = keyof typeof faultExits;

/** The exit code of a failure, whoever made it; a code that no Fault carries is `internal`. */
export function exitOfFailure({ code }: Failure): number {
  return Object.hasOwn(faultExits, code) ? faultExits[code as FaultCode] : faultExits.internal;
}

/** The one error this project throws. What is expected is returned as data instead. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly remedy: string | undefined;

  constructor(code: FaultCode, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    this.remedy = options.remedy;
  }
}

/** Any thrown thing as data; what is not a Fault is `internal` unless the operating system named the disk. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof Fault) {
    return { code: thrown.code, message: thrown.message, ...(thrown.remedy ? { remedy: thrown.remedy } : {}) };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const disk = diskCode(thrown);
  return disk ? { code: disk.code, message, remedy: disk.remedy } : { code: "internal", message };
}

const diskCodes: Readonly<Record<string, { code: FaultCode; remedy: string }>> = {
  ENOSPC: { code: "storage_full", remedy: "free some space on that disk and run it again; finished work is kept" },
  EDQUOT: { code: "storage_full", remedy: "raise the quota or free some space, and run it again" },
  EFBIG: { code: "storage_full", remedy: "raise the file size limit (ulimit -f) and run it again" },
  EROFS: { code: "read_only", remedy: "point SHEAF_HOME at a folder that can be written" },
  EACCES: { code: "read_only", remedy: "check who owns that path, or point SHEAF_HOME elsewhere" },
};

function diskCode(thrown: unknown): { code: FaultCode; remedy: string } | undefined {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  return diskCodes[code];
}
