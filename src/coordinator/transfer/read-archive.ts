import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { Fault, toFailure } from "../../protocol/failure.ts";
import { blockBytes, readTarHeader } from "./tar-header.ts";

/** Reads what ArchiveWriter wrote. What a file holds is handed on as it comes, and judged by its hash at its end. */
export interface Archive {
  file: string;
  places: ReadonlyMap<string, Place>;
}

interface Place {
  offset: number;
  size: number;
}

/** Throws Fault `usage` for what is no whole archive of ours. */
export async function openArchive(file: string): Promise<Archive> {
  const handle = await open(file, "r").catch((cause: unknown) => {
    throw new Fault("usage", `${file} cannot be read: ${toFailure(cause).message}`, {
      remedy: "name a file that `sheaf export` wrote",
      cause,
    });
  });
  try {
    const { size } = await handle.stat();
    const places = new Map<string, Place>();
    const block = Buffer.alloc(blockBytes);
    for (let at = 0; ; ) {
      const { bytesRead } = await handle.read(block, 0, blockBytes, at);
      if (bytesRead < blockBytes) throw notWhole(file, "it breaks off");
      if (block.every((byte) => byte === 0)) return { file, places };
      const header = readTarHeader(block);
      if (!header) throw notWhole(file, `there is no header at byte ${at}`);
      const offset = at + blockBytes;
      if (offset + header.size > size) throw notWhole(file, `${header.name} breaks off`);
      places.set(header.name, { offset, size: header.size });
      at = offset + Math.ceil(header.size / blockBytes) * blockBytes;
    }
  } finally {
    await handle.close();
  }
}

/** The bytes of one entry. Throws Fault `usage` at its end where they are not those that were written. */
export async function* readEntry(
  { file, places }: Archive,
  { entry, bytes, sha256 }: { entry: string; bytes: number; sha256: string },
): AsyncGenerator<Buffer> {
  const place = places.get(entry);
  if (place?.size !== bytes) throw notWhole(file, `${entry} is missing, or has another size`);
  const hash = createHash("sha256");
  for await (const chunk of chunks(file, place)) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest("hex") !== sha256) throw notWhole(file, `the hash of ${entry} is not the one in its manifest`);
}

/** An entry whose hash nobody knows. */
export async function readWhole({ file, places }: Archive, entry: string, mostBytes: number): Promise<string> {
  const place = places.get(entry);
  if (!place || place.size > mostBytes) throw notWhole(file, `it has no ${entry}`);
  const parts: Buffer[] = [];
  for await (const chunk of chunks(file, place)) parts.push(chunk);
  return Buffer.concat(parts).toString("utf8");
}

async function* chunks(file: string, { offset, size }: Place): AsyncGenerator<Buffer> {
  if (size === 0) return;
  for await (const chunk of createReadStream(file, { start: offset, end: offset + size - 1 })) yield chunk as Buffer;
}

function notWhole(file: string, why: string): Fault {
  return new Fault("usage", `${file} is no whole export of Sheaf: ${why}`, {
    remedy: "copy it once more, or make it anew with `sheaf export`",
  });
}
