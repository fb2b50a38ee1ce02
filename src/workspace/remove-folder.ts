import { chmod, lstat, readdir, rm, unlink } from "node:fs/promises";

/** Removes whatever stands at a path, a link and never what it points to; nothing is no mistake. */
export async function removeEntry(at: Buffer): Promise<void> {
  const stats = await lstat(at).catch(() => undefined);
  if (stats) await (stats.isDirectory() ? removeFolder(at) : unlink(at));
}

/** Removes a folder of ours with all that is in it, also where a command took the right to write away. */
export async function removeFolder(directory: string | Buffer): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && (cause.code === "EACCES" || cause.code === "EPERM")))
      throw cause;
    await makeWritable(Buffer.from(directory));
    await rm(directory, { recursive: true, force: true });
  }
}

async function makeWritable(directory: Buffer): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true, encoding: "buffer" })) {
    if (entry.isDirectory()) await makeWritable(Buffer.concat([directory, Buffer.from("/"), entry.name]));
  }
}
