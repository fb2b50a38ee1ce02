/**
 * Paths in git are bytes. Inside workspace/ and merge/ they travel as strings with one character per byte (latin1),
 * so that no name is ever changed on its way. They are never shown to an agent: what is not UTF-8 has no text.
 */
declare const raw: unique symbol;
export type RawPath = string & { readonly [raw]: true };

/** The bytes of a name that is given as text. */
export function toRaw(text: string): RawPath {
  return Buffer.from(text, "utf8").toString("latin1") as RawPath;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The name as text, or undefined when its bytes are not UTF-8. */
export function toText(path: RawPath): string | undefined {
  if (isAscii(path)) return path;
  try {
    return strict.decode(Buffer.from(path, "latin1"));
  } catch {
    return undefined;
  }
}

/** The name for a person: as text, or with `\xNN` for the bytes that no text stands for. */
export function toShown(path: RawPath): string {
  return toText(path) ?? path.replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}

/** The name as the bytes that the file system takes. */
export function toBytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

/** A string of bytes as a path. */
export function rawOf(bytes: Uint8Array | string): RawPath {
  return (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1")) as RawPath;
}

/** The directory a path is in; "" is the root. */
export function parentOf(path: RawPath): RawPath {
  const slash = path.lastIndexOf("/");
  return (slash < 0 ? "" : path.slice(0, slash)) as RawPath;
}

export function joinRaw(directory: RawPath, name: string): RawPath {
  return (directory === "" ? name : `${directory}/${name}`) as RawPath;
}

/** C-style quoting as git reads it back: for formats that end a name with a newline. */
export function quoted(path: string): string {
  const escaped = path.replace(
    /["\\\x00-\x1f\x7f-\xff]/g,
    (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return `"${escaped}"`;
}

function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text);
}
