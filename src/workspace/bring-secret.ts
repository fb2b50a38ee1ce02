import { open as openFile } from "node:fs/promises";
import type { OpenWorkspace } from "./open-workspace.ts";
import { type RawPath, toShown } from "./raw-path.ts";

/**
 * Whether a file brings a secret into a tree. Asked before anything of it is stored: an object can be read by every
 * command of the repository from then on, named or not. One that held a secret already is left to its author.
 */
export async function bringsSecret(
  open: Pick<OpenWorkspace, "isSecret" | "listing" | "repository">,
  path: RawPath,
  holds: (isSecret: (content: Buffer) => boolean) => Promise<boolean>,
): Promise<boolean> {
  const { isSecret, listing, repository } = open;
  if (!isSecret || !(isSecret(toShown(path)) || (await holds(isSecret)))) return false;
  const before = listing.entries.get(path);
  if (!before || before.mode === "160000") return true;
  return !isSecret(toShown(path)) && !isSecret((await repository.objects.read(before.oid)) ?? "");
}

export const secretReason = "it holds a secret that the operator keeps; let the command read it from its environment";

const pieceBytes = 4 * 1024 * 1024;
/** No secret is longer in any of its forms, and so none is cut in two by both of two pieces. */
const sharedBytes = 256 * 1024;

/** In pieces that overlap: a file may be larger than memory. */
export async function fileHolds(at: Buffer, isSecret: (content: Buffer) => boolean): Promise<boolean> {
  await using file = await openFile(at, "r");
  const piece = Buffer.allocUnsafe(Math.min(pieceBytes, (await file.stat()).size + 1));
  for (let from = 0; ; from += pieceBytes - sharedBytes) {
    const length = await fill(file, piece, from);
    if (isSecret(piece.subarray(0, length))) return true;
    if (length < piece.length) return false;
  }
}

async function fill(file: Awaited<ReturnType<typeof openFile>>, piece: Buffer, from: number): Promise<number> {
  let length = 0;
  while (length < piece.length) {
    const { bytesRead } = await file.read(piece, length, piece.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
