import { once } from "node:events";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../protocol/failure.ts";
import { refused } from "./git.ts";
import { removeFolder } from "./remove-folder.ts";
import type { Repository } from "./repository.ts";
import { oneAtATime } from "./turns.ts";

/**
 * The bytes of blobs in a few files, one behind the other, for threads that look through many of them. A blob is brought
 * once, whoever asks and for whichever tree. What is larger than a thread should hold is not brought.
 */
export interface BlobPlace {
  /** Index in `files`. */
  file: number;
  offset: number;
  size: number;
}

/** As large as a file may be that is asked over a port. */
const mostBlobBytes = 16 * 1024 * 1024;

export class BlobFiles implements AsyncDisposable {
  /** Absolute paths; they only grow in number. */
  readonly files: string[] = [];
  readonly #repository: Repository;
  readonly #folder: string;
  /** undefined: too large. */
  readonly #places = new Map<string, BlobPlace | undefined>();
  readonly #turn = oneAtATime();
  #made = 0;

  /** `folder` is made when it is needed. */
  constructor(repository: Repository, folder: string) {
    this.#repository = repository;
    this.#folder = folder;
  }

  /** Where a blob is; undefined for one that was not brought, or is too large. */
  at(oid: string): BlobPlace | undefined {
    return this.#places.get(oid);
  }

  /** Brings those that are not here yet. Throws Fault `git`. */
  async bring(oids: readonly string[]): Promise<void> {
    if (oids.every((oid) => this.#places.has(oid))) return;
    await this.#turn(async () => {
      const missing = new Set(oids.filter((oid) => !this.#places.has(oid)));
      if (missing.size > 0) await this.#write([...missing]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn(() => removeFolder(this.#folder));
  }

  async #write(oids: readonly string[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = join(this.#folder, String(++this.#made));
    await using handle = await open(path, "wx");
    const places = await writeBlobs(oids, handle, this.#repository);
    const file = this.files.push(path) - 1;
    for (const [oid, place] of places) this.#places.set(oid, place && { file, ...place });
  }
}

type Written = Map<string, Omit<BlobPlace, "file"> | undefined>;

async function writeBlobs(oids: readonly string[], handle: FileHandle, { git, gitDir }: Repository): Promise<Written> {
  const args = ["cat-file", "--batch", "--buffer"];
  const child = git.start(args, { gitDir });
  const closed = once(child, "close");
  child.stderr.resume();
  child.stdin.on("error", () => {});
  child.stdin.end(oids.map((oid) => `${oid}\n`).join(""));
  const sorter = new BlobSorter();
  for await (const chunk of child.stdout) {
    const pieces = sorter.take(chunk as Buffer);
    if (pieces.length > 0) await handle.writev(pieces);
  }
  const [code] = await closed;
  if (code !== 0) throw refused(args, { code: Number(code ?? -1), stdout: Buffer.alloc(0), stderr: "" });
  if (sorter.places.size !== oids.length) throw new Fault("git", "git cat-file did not answer for every object");
  return sorter.places;
}

/** Parts `<oid> blob <size>`, a newline, the bytes, a newline: the bytes alone are kept. */
class BlobSorter {
  readonly places: Written = new Map();
  #header = "";
  /** Of the open blob, with the newline after it; 0: a header comes next. */
  #left = 0;
  #isKept = false;
  #offset = 0;

  take(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < chunk.length; ) {
      at = this.#left === 0 ? this.#readHeader(chunk, at) : this.#readBody(chunk, at, pieces);
    }
    return pieces;
  }

  #readHeader(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(10, from);
    this.#header += chunk.toString("latin1", from, end < 0 ? chunk.length : end);
    if (end < 0) return chunk.length;
    const [, oid, digits] = /^([0-9a-f]{40,64}) blob (\d+)$/.exec(this.#header) ?? [];
    if (oid === undefined)
      throw new Fault("git", `git cat-file answered ${JSON.stringify(this.#header.slice(0, 100))}`);
    const size = Number(digits);
    this.#header = "";
    this.#left = size + 1;
    this.#isKept = size <= mostBlobBytes;
    this.places.set(oid, this.#isKept ? { offset: this.#offset, size } : undefined);
    if (this.#isKept) this.#offset += size;
    return end + 1;
  }

  #readBody(chunk: Buffer, from: number, pieces: Buffer[]): number {
    const end = Math.min(chunk.length, from + this.#left);
    this.#left -= end - from;
    const piece = chunk.subarray(from, this.#left === 0 ? end - 1 : end);
    if (this.#isKept && piece.length > 0) pieces.push(piece);
    return end;
  }
}
