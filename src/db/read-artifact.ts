import { attempt } from "./attempt.ts";
import type { Database } from "./database.ts";
import { eq } from "./drizzle.ts";
import { artifacts } from "./schema.ts";

export interface Artifact {
  sha256: string;
  mediaType: string;
  bytes: Uint8Array;
}

/** By the sha256 of its bytes, in hex. undefined when it was never stored. */
export async function readArtifact(sha256: string, database: Database): Promise<Artifact | undefined> {
  const [row] = await attempt("read an artifact", database, (orm) =>
    orm.select().from(artifacts).where(eq(artifacts.sha256, sha256)),
  );
  return row && { sha256: row.sha256, mediaType: row.mediaType, bytes: row.bytes };
}
