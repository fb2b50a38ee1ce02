import { access, constants, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault, toFailure } from "../protocol/failure.ts";

/**
 * Makes the data folder if it is not there, and says so when nothing can be written to it, before anything else is
 * begun. Throws Fault `storage_full` or `read_only`.
 */
export async function makeDataFolder(home: string): Promise<void> {
  try {
    await makeFolder(home);
    await access(home, constants.W_OK);
  } catch (cause) {
    const { code, message, remedy } = toFailure(cause);
    throw new Fault(code === "storage_full" ? code : "read_only", `the data folder cannot be written: ${message}`, {
      remedy: code === "storage_full" && remedy ? remedy : "point SHEAF_HOME at a folder that can be written",
      cause,
    });
  }
}

/** Node's own recursive mkdir calls a read-only disk ENOENT, and never comes back from below /proc. */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (cause) {
    // Another process may have made it at the same time.
    if (!(await isFolder(path))) throw cause;
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
