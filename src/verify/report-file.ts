import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { type Contained, containSync, isEscape } from "../files/contain.ts";
import { openLook } from "../files/look.ts";
import { readRegular } from "../files/read.ts";

/**
 * The file a command writes its report to. It stays inside the checkout whatever links the command made, and what was
 * there before the command ran is never taken for its report.
 */
type Unreadable = { unreadable: string };

/** Takes away what stands there; answers only where that is not possible. */
export function dropReport(root: string, path: string): Unreadable | undefined {
  const found = locate(root, path);
  if ("unreadable" in found) return found;
  if (!found.exists) return undefined;
  if (found.kind === "directory") return { unreadable: `${JSON.stringify(path)} is a directory` };
  // Its folder stays, even an empty one: the command may count on it.
  unlinkSync(join(root, found.canonical));
  return undefined;
}

export function readReportFile(root: string, path: string, mostBytes: number): { bytes: Uint8Array } | Unreadable {
  const found = locate(root, path);
  if ("unreadable" in found) return found;
  if (!found.exists) return { unreadable: `${JSON.stringify(path)} was not written` };
  const read = readRegular(root, found.canonical, mostBytes);
  return "refused" in read ? { unreadable: read.refused } : read;
}

function locate(root: string, path: string): Contained | Unreadable {
  const found = containSync(path, openLook(root, { isCaseInsensitive: false }), { root });
  if (isEscape(found)) return { unreadable: found.reason };
  return found.blockedBy === undefined ? found : { unreadable: `${JSON.stringify(found.blockedBy)} is a file` };
}
