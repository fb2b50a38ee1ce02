import { isUtf8 } from "node:buffer";
import type { Contained } from "../files/contain.ts";
import type { Files } from "../files/files.ts";

/** Largest file any tool reads. */
export const mostFileBytes = 16 * 1024 * 1024;

export type ExistingFile = { bytes: Uint8Array; isExecutable: boolean } | { refused: string };

/** The bytes of a file that must be there, or what to try instead. */
export async function readExisting(at: Contained, files: Files): Promise<ExistingFile> {
  const shown = JSON.stringify(at.canonical);
  if (at.blockedBy !== undefined) return { refused: `${shown} does not exist: ${at.blockedBy} is a file` };
  if (at.kind === "missing") return { refused: `${shown} does not exist. Use list or glob to see what does.` };
  if (at.kind === "directory") return { refused: `${shown} is a directory. Use list to see what is in it.` };
  return files.read(at.canonical, mostFileBytes);
}

/** The text of a file, byte for byte (a BOM stays), or why it has none. */
export function decodeText(bytes: Uint8Array, path: string): { text: string } | { refused: string } {
  const shown = `${JSON.stringify(path)} (${bytes.length} bytes)`;
  if (bytes.includes(0)) return { refused: `${shown} is a binary file: it cannot be shown or edited as text` };
  if (!isUtf8(bytes)) return { refused: `${shown} is not valid UTF-8: it cannot be shown or edited as text` };
  return { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) };
}
