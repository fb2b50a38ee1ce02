import { PGlite, type PGliteOptions } from "@electric-sql/pglite";

const bytea = 17;

/**
 * How every PGlite of ours is started: 32 MB of shared buffers (128 by default: 100 MB and 0.1 s more), and bytes
 * turned into hex by Buffer instead of one character at a time.
 */
export const pgliteOptions: PGliteOptions = {
  startParams: [...PGlite.defaultStartParams, "-c", "shared_buffers=32MB"],
  // Read by initdb alone: small WAL segments, so that a new database is small.
  initDbStartParams: ["--wal-segsize=1", "--no-instructions"],
  serializers: { [bytea]: (bytes: Uint8Array) => `\\x${Buffer.from(bytes).toString("hex")}` },
  parsers: { [bytea]: (text: string) => Buffer.from(text.slice(2), "hex") },
};
