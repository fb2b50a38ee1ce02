import { isAbsolute, join, resolve } from "node:path";
import { isObjectStore } from "./object-store.ts";
import { readPlain } from "./plain-file.ts";
import type { Repository } from "./repository.ts";

/**
 * The folders that git reads in a checkout of ours, absolute: our own bare repository, the user's objects behind it, and
 * those that these borrow in turn, where they hold nothing but objects. Nothing else of the user's `.git` is in them.
 */
export async function gitFolders({ gitDir, user }: Pick<Repository, "gitDir" | "user">): Promise<string[]> {
  const folders = [gitDir];
  const due = [join(user.commonDir, "objects")];
  for (let next = due.pop(); next !== undefined && folders.length < mostFolders; next = due.pop()) {
    if (folders.includes(next) || !(await isObjectStore(next))) continue;
    folders.push(next);
    due.push(...(await alternatesOf(next)));
  }
  return folders;
}

/** Git itself follows at most five borrowings in a row. */
const mostFolders = 20;

async function alternatesOf(objects: string): Promise<string[]> {
  const text = (await readPlain(join(objects, "info", "alternates")))?.toString("utf8") ?? "";
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#") && !line.startsWith('"'));
  return lines.map((line) => (isAbsolute(line) ? line : resolve(objects, line)));
}
