import { type FileHandle, open, stat } from "node:fs/promises";
import { Fault, type FaultCode } from "../protocol/failure.ts";
import { listed } from "./problem.ts";
import { maxDocumentBytes, tooLarge } from "./refused-text.ts";

/**
 * The text of a file that a person named, read without trusting its size: a folder, a device, more than `maxBytes`
 * (default 1 MB) and bytes that are not UTF-8 are refused. `file` is what errors call it. Throws Fault with `code`.
 */
export async function readText(
  path: string,
  options: { file: string; code: FaultCode; maxBytes?: number; remedy?: string },
): Promise<string> {
  const bytes = await readBytes(path, options);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const offset = firstBadByte(bytes);
    const before = new TextDecoder().decode(bytes.subarray(0, offset));
    const message = "the file is not UTF-8 text; save it as UTF-8";
    throw listed([{ offset: before.length, message }], before, options);
  }
}

async function readBytes(
  path: string,
  options: { file: string; code: FaultCode; maxBytes?: number; remedy?: string },
): Promise<Buffer> {
  const maxBytes = options.maxBytes ?? maxDocumentBytes;
  try {
    const found = await stat(path);
    // A pipe has no size and is read up to the bound: `sheaf run <(generate)` works.
    if (!found.isFile() && !found.isFIFO()) throw notAFile(options);
    if (found.size > maxBytes) throw listed([tooLarge(found.size, maxBytes)], "", options);
    await using handle = await open(path, "r");
    const bytes = await readUpTo(handle, maxBytes + 1);
    if (bytes.length > maxBytes) throw listed([tooLarge(bytes.length, maxBytes)], "", options);
    return bytes;
  } catch (cause) {
    throw cause instanceof Fault ? cause : unreadable(cause, options);
  }
}

async function readUpTo(handle: FileHandle, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let left = limit;
  while (left > 0) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(left, 65_536)));
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    left -= bytesRead;
  }
  return Buffer.concat(chunks);
}

/** Decoding with replacement and encoding again leaves everything before the first bad byte as it was. */
function firstBadByte(bytes: Buffer): number {
  const again = Buffer.from(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  const limit = Math.min(again.length, bytes.length);
  for (let index = 0; index < limit; index++) if (again[index] !== bytes[index]) return index;
  return limit;
}

function notAFile(options: { file: string; code: FaultCode }): Fault {
  return new Fault(options.code, `${options.file}: not a file`, { remedy: "name a YAML file" });
}

function unreadable(cause: unknown, options: { file: string; code: FaultCode }): Fault {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const [reason, remedy] = reasons[code] ?? [cause instanceof Error ? cause.message : String(cause), "check the path"];
  return new Fault(options.code, `${options.file}: ${reason}`, { remedy, cause });
}

const reasons: Readonly<Record<string, [reason: string, remedy: string]>> = {
  ENOENT: ["there is no such file", "check the spelling and the folder it is looked for in"],
  ENOTDIR: ["there is no such file", "check the spelling and the folder it is looked for in"],
  EACCES: ["may not be read", "check its permissions and owner"],
  EPERM: ["may not be read", "check its permissions and owner"],
  ELOOP: ["is a symlink that leads in a circle", "point the symlink at a file"],
  ENAMETOOLONG: ["has a name that is too long", "check the path"],
};
