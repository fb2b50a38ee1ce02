import { posix } from "node:path";

/**
 * A path of a report as a path of the repository: two checkouts of one job are in two folders, and names that hold the
 * folder would never be the same. What lies elsewhere stays as it is written.
 */
export function reportPath(written: string, root: string): string {
  const plain = written.replaceAll("\\", "/");
  const inside = plain.startsWith(`${root}/`) ? plain.slice(root.length + 1) : plain;
  return inside === root ? "." : posix.normalize(inside).replace(/^\.\/(?=.)/, "");
}

/** The same inside a text. */
export function withoutRoot(text: string, root: string): string {
  return text.replaceAll(`${root}/`, "").replaceAll(root, ".");
}
