import { closeSync, openSync, readSync } from "node:fs";
import type { SearchOrder } from "../protocol/search.ts";
import { containSync, isEscape } from "./contain.ts";
import { type Look, openLook } from "./look.ts";
import { readRegular } from "./read.ts";

/**
 * The files of a search one after another, as their run sees them: what stands in its workspace, else what the base
 * holds. No link is followed, neither at a path's end nor on the way.
 */
export interface SearchedFiles extends Disposable {
  readonly paths: readonly string[];
  /** undefined: there is no file any more. Throws what the disk throws. */
  read(index: number): { bytes: Uint8Array } | { refused: string } | undefined;
}

type Order = Pick<SearchOrder, "root" | "is_case_insensitive" | "paths" | "blobs" | "places">;

export function openSearchedFiles({ root, is_case_insensitive, paths: joined, blobs, places }: Order): SearchedFiles {
  const paths = joined === "" ? [] : joined.split("\0");
  const look = openLook(root, { isCaseInsensitive: is_case_insensitive });
  const open = new Map<number, number>();
  const descriptorOf = (blob: number) => {
    const known = open.get(blob) ?? openSync(blobs[blob] ?? "", "r");
    open.set(blob, known);
    return known;
  };
  return {
    paths,
    read(index) {
      const path = paths[index] ?? "";
      const here = standsHere(path, { root, look });
      if (here === "file") return readRegular(root, path, mostBytes);
      if (here !== "missing") return undefined;
      const [blob = -1, offset = 0, size = 0] = places.subarray(index * 3, index * 3 + 3);
      if (blob < 0) return size > 0 ? { refused: `more than ${mostBytes} bytes` } : undefined;
      const bytes = Buffer.allocUnsafe(size);
      return { bytes: bytes.subarray(0, readSync(descriptorOf(blob), bytes, 0, size, offset)) };
    },
    [Symbol.dispose]() {
      for (const descriptor of open.values()) closeSync(descriptor);
    },
  };
}

const mostBytes = 16 * 1024 * 1024;

/** What is not where its path says, or lies behind a file, is as good as something else. */
function standsHere(path: string, { root, look }: { root: string; look: Look }): "file" | "missing" | "other" {
  const found = containSync(path, look, { root, followsLast: false });
  if (isEscape(found) || found.canonical !== path || found.viaLinks.length > 0) return "other";
  if (found.blockedBy !== undefined) return "other";
  return found.kind === "file" || found.kind === "missing" ? found.kind : "other";
}
