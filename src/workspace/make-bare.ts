import { chmod, mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Git } from "./git.ts";

/**
 * Makes a bare repository of ours aside, fills it, and renames it into place: it is whole or not there, and of two that
 * do so at once the second uses the first one's.
 */
export async function makeBare(
  git: Git,
  directory: string,
  { objectFormat }: { objectFormat: "sha1" | "sha256" },
  fill: (draft: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  const draft = await mkdtemp(`${directory}.new-`);
  try {
    const init = [
      "init",
      "--quiet",
      "--bare",
      "--template=",
      `--object-format=${objectFormat}`,
      "--initial-branch=none",
    ];
    await git([...init, draft], { cwd: draft });
    await fill(draft);
    await chmod(draft, readByCommands);
    await rename(draft, directory);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    if (!(await isThere(directory))) throw cause;
  }
}

/**
 * Commands may run as another account, and read what stands behind their tree. The data folder around it lets nobody in
 * but its owner.
 */
export const readByCommands = 0o755;

export function isThere(gitDir: string): Promise<boolean> {
  return stat(join(gitDir, "HEAD")).then(
    () => true,
    () => false,
  );
}
