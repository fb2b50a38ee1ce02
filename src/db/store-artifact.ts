import { createHash } from "node:crypto";
import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { artifacts } from "./schema.ts";

/** Keeps the bytes under their sha256, which is returned in hex. Storing them again costs nothing. */
export async function storeArtifact(bytes: Uint8Array, mediaType: string, database: Database): Promise<string> {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const row = { sha256, size: bytes.byteLength, mediaType, bytes: Buffer.from(bytes) };
  await attempt("store an artifact", database, (orm) => orm.insert(artifacts).values(row).onConflictDoNothing());
  return sha256;
}
