import { lstat } from "node:fs/promises";

/** Whether anything stands there; true where nobody can say, since what cannot be seen may be there. */
export function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (cause: NodeJS.ErrnoException) => cause.code !== "ENOENT" && cause.code !== "ENOTDIR",
  );
}
