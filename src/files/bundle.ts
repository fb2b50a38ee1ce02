import { closeSync, openSync, readSync } from "node:fs";
import { Fault } from "../protocol/failure.ts";
import type { Fetched, RunOrder } from "../protocol/thread.ts";
import type { BaseReader } from "./base-view.ts";

/**
 * Base files that the coordinator put into one file for this run, in the form of `git cat-file --batch`: a line
 * `<object id> blob <size>`, the bytes, a newline. Read in place; whatever is not in it is asked of the base as ever.
 */
export interface OpenBundle extends Disposable {
  fetch(path: string): Fetched | undefined;
}

type Bundle = NonNullable<RunOrder["workspace"]["bundle"]>;

/** An object id of SHA-256, ` blob `, the longest size, a newline. */
const longestHeader = 64 + 6 + 20 + 1;

export function openBundle({ file, entries }: Bundle): OpenBundle {
  const descriptor = openSync(file, "r");
  const places = new Map<string, { offset: number; size: number; isExecutable: boolean }>();
  const header = Buffer.alloc(longestHeader);
  let offset = 0;
  for (const entry of entries) {
    const line = header.toString("latin1", 0, readSync(descriptor, header, 0, longestHeader, offset));
    const shape = /^[0-9a-f]{40,64} blob (\d+)\n/.exec(line);
    if (!shape) throw new Fault("internal", `the bundle of this run holds no ${JSON.stringify(entry.path)}`);
    const size = Number(shape[1]);
    places.set(entry.path, { offset: offset + shape[0].length, size, isExecutable: entry.is_executable });
    offset += shape[0].length + size + 1;
  }
  return {
    fetch(path) {
      const place = places.get(path);
      if (!place) return undefined;
      if (place.size > mostBytes) return { found: "too_large", size: place.size };
      const bytes = new Uint8Array(place.size);
      const count = readSync(descriptor, bytes, 0, place.size, place.offset);
      if (count !== place.size)
        throw new Fault("internal", `the bundle of this run ends inside ${JSON.stringify(path)}`);
      return { found: "file", bytes, is_executable: place.isExecutable };
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

/** As large as a file may be that is asked over the port. */
const mostBytes = 16 * 1024 * 1024;

/** The bundle first, where only reading is wanted. */
export function behindBundle(bundle: OpenBundle, base: BaseReader): BaseReader {
  return {
    fetch: async (path, want) => (want === "read" ? bundle.fetch(path) : undefined) ?? base.fetch(path, want),
    names: (prefix) => base.names(prefix),
  };
}
