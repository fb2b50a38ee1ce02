import { createHash } from "node:crypto";
import type { ChangedFile } from "../protocol/run-fact.ts";

/** The id git gives these bytes as a blob: the hash of `blob <length>`, a NUL, and the bytes. */
function blobId(content: Uint8Array, objectFormat: "sha1" | "sha256"): string {
  return createHash(objectFormat).update(`blob ${content.length}\0`).update(content).digest("hex");
}

/** A written file as the log names it. */
export function changedFile(
  written: { path: string; isExecutable: boolean },
  content: Uint8Array,
  objectFormat: "sha1" | "sha256",
): ChangedFile {
  const mode = written.isExecutable ? "100755" : "100644";
  return { path: written.path, mode, blob: blobId(content, objectFormat) };
}
