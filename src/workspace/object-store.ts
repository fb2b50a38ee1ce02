import { readdir } from "node:fs/promises";

/**
 * Whether a folder is one that git keeps objects in, and nothing else (gitrepository-layout, "objects"). A line of
 * `info/alternates` can name any folder of this machine, and what is named there is shown to commands.
 */
export async function isObjectStore(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => undefined);
  return names?.every((name) => /^(?:[0-9a-f]{2}|pack|info|tmp_\w+|[\w.-]+\.lock)$/.test(name)) ?? false;
}
