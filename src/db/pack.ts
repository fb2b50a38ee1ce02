import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { deserialize, serialize } from "node:v8";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { z } from "zod";

/** A folder of regular files as one compressed, checksummed file. Knows nothing of what is in it. */
const pack = z.object({
  folders: z.array(z.string()),
  files: z.array(z.object({ path: z.string(), bytes: z.instanceof(Uint8Array) })),
});
export type Pack = z.infer<typeof pack>;

/** `keep` is asked about each file by its path in the folder. */
export function packFolder(folder: string, keep: (path: string) => boolean): Buffer {
  const found: Pack = { folders: [], files: [] };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const full = join(entry.parentPath, entry.name);
    const path = relative(folder, full);
    if (entry.isDirectory()) found.folders.push(path);
    else if (entry.isFile() && keep(path)) found.files.push({ path, bytes: readFileSync(full) });
  }
  found.folders.sort();
  return zstdCompressSync(serialize(found), {
    params: { [constants.ZSTD_c_compressionLevel]: 9, [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/** Throws when the bytes are damaged. */
export function readPack(bytes: Uint8Array): Pack {
  return pack.parse(deserialize(zstdDecompressSync(bytes)));
}

/** Writes the pack as the new folder `target`. Synchronous, since hundreds of small files are written faster so. */
export function unpack(contents: Pack, target: string): void {
  mkdirSync(target, { mode: 0o700 });
  for (const folder of contents.folders) mkdirSync(join(target, folder), { mode: 0o700 });
  for (const file of contents.files) writeFileSync(join(target, file.path), file.bytes, { mode: 0o600 });
}
