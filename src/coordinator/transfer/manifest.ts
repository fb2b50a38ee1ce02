import { z } from "zod";
import { Fault } from "../../protocol/failure.ts";

/**
 * What is in an export, and where: the last entry of the archive, so that one that broke off has none. Names inside the
 * archive are made up by us; names outside it come from here, and each has a form that leads nowhere else.
 */
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().min(0);
const entry = {
  entry: z.string().regex(/^(?:tables|repositories|files)\/[a-z0-9_.-]{1,80}$/),
  bytes: count,
  sha256: hash,
};

/** Of the data folder; no component is a dot or two. */
const keptFile = z
  .string()
  .max(1_000)
  .regex(/^(?:patches|salvage)(?:\/(?!\.{1,2}(?:\/|$))[^/\0]{1,255}){1,8}$/);
const refName = z
  .string()
  .max(1_000)
  .regex(/^refs\/(?!.*(?:\.\.|\/\/|\/\.|@\{|\.lock(?:\/|$)|[/.]$))[^\0-\x20\x7f~^:?*[\\]+$/);

/** A folder of objects, as git writes one in `info/alternates` without quoting it. */
export const borrowed = z
  .string()
  .max(4_000)
  .regex(/^\/[^\0-\x1f"\\]*$/);

const repository = z.object({
  path: z.string().regex(/^(?:repositories|fetched|bundled)\/[0-9a-f]{64}(?:-sha256)?\.git$/),
  object_format: z.enum(["sha1", "sha256"]),
  head: z.union([refName, hash, z.string().regex(/^[0-9a-f]{40}$/)]),
  refs: z.array(z.object({ name: refName, oid: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/) })),
  /** Where it found what it borrowed. */
  borrows: borrowed.optional(),
  objects: count,
  /** Not all that its refs need was there when it was packed. */
  is_broken: z.boolean().optional(),
  ...entry,
});
export type PackedRepository = z.infer<typeof repository>;

export const manifest = z.object({
  schema: z.literal("sheaf.export/v1"),
  sheaf: z.string(),
  made_at: z.string(),
  database: z.object({ kind: z.enum(["pglite", "postgres"]), version: z.string(), migrations: z.array(hash) }),
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()).max(1_000), rows: count, ...entry })),
  repositories: z.array(repository),
  files: z.array(z.object({ path: keptFile, ...entry })),
  /** What is not in it, for whoever wonders. */
  left_out: z.array(z.string()),
});
export type Manifest = z.infer<typeof manifest>;

export const manifestEntry = "manifest.json";

/** Throws Fault `usage`, or `database_newer` for what a later version wrote. */
export function readManifest(text: string, file: string): Manifest {
  const value = parse(text);
  const told = z.object({ schema: z.string() }).safeParse(value);
  const version = /^sheaf\.export\/v(\d+)$/.exec(told.data?.schema ?? "")?.[1];
  if (version !== undefined && version !== "1") {
    throw new Fault("database_newer", `${file} is an export of form ${version}; this version reads form 1`, {
      remedy: "import it with the version of Sheaf that wrote it, or a newer one",
    });
  }
  const read = manifest.safeParse(value);
  if (read.success) return read.data;
  throw new Fault(
    "usage",
    `${file} is no export of Sheaf: ${z.prettifyError(read.error).split("\n").slice(0, 2).join(" ")}`,
    {
      remedy: "make it with `sheaf export`, and copy it whole",
    },
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
