import { hash } from "node:crypto";
import { existsSync, rename, rm, stat, utimes, writeFile } from "node:fs";
import { mkdir, mkdtemp, rm as remove } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflate, deflateSync } from "node:zlib";
import { mostStoredBytes, storedBlock } from "./stored-block.ts";

/**
 * Objects into our own repository as git itself keeps single ones (gitrepository-layout, "objects"): whole or not at
 * all, never one over another. It refuses nothing that it is given: whoever makes an object sees to what is in it.
 */
export type ObjectType = "blob" | "commit" | "tree";

export class LooseObjects implements AsyncDisposable {
  readonly #gitDir: string;
  readonly #format: "sha1" | "sha256";
  /** By id; the oldest is forgotten first. */
  readonly #written = new Map<string, ObjectType>();
  readonly #underWay = new Map<string, Promise<void>>();
  #scratch: Promise<string> | undefined;
  #drafts = 0;

  constructor(gitDir: string, format: "sha1" | "sha256") {
    this.#gitDir = gitDir;
    this.#format = format;
  }

  /** Stores an object, if it is not there, and returns its id. Throws what the disk throws. */
  async put(type: ObjectType, body: Uint8Array): Promise<string> {
    const oid = objectId(type, body, this.#format);
    const work = this.#underWay.get(oid) ?? this.#store(oid, whole(type, body));
    this.#underWay.set(oid, work);
    try {
      await work;
    } finally {
      this.#underWay.delete(oid);
    }
    this.#remember(oid, type);
    return oid;
  }

  /** It was put here not long ago, and nothing takes an object away so soon. */
  hasPut(oid: string, type: ObjectType): boolean {
    return this.#written.get(oid) === type;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const scratch = this.#scratch;
    this.#scratch = undefined;
    if (scratch !== undefined) await remove(await scratch, { recursive: true, force: true });
  }

  async #store(oid: string, object: Buffer): Promise<void> {
    const folder = join(this.#gitDir, "objects", oid.slice(0, 2));
    const place = join(folder, oid.slice(2));
    const draft = join(await this.#folder(), `object-${this.#drafts++}`);
    try {
      // Asked here: through another thread it costs four times that.
      if (existsSync(place) && (await isFreshened(place, draft))) return;
      await write(draft, await packed(object), { flag: "wx", mode: readOnly });
      await move(draft, place).catch(async (cause: NodeJS.ErrnoException) => {
        if (cause.code !== "ENOENT") throw cause;
        await mkdir(folder, { recursive: true });
        await move(draft, place);
      });
    } catch (cause) {
      await discard(draft, { force: true });
      throw cause;
    }
  }

  /** On the disk that the objects are on. */
  #folder(): Promise<string> {
    this.#scratch ??= mkdtemp(join(this.#gitDir, "scratch-")).catch((cause: unknown) => {
      this.#scratch = undefined;
      throw cause;
    });
    return this.#scratch;
  }

  #remember(oid: string, type: ObjectType): void {
    this.#written.set(oid, type);
    const [oldest] = this.#written.keys();
    if (this.#written.size > mostRemembered && oldest !== undefined) this.#written.delete(oldest);
  }
}

/** What git calls it (git-hash-object). */
export function objectId(type: ObjectType, body: Uint8Array, format: "sha1" | "sha256"): string {
  return hash(format, whole(type, body), "hex");
}

function whole(type: ObjectType, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body]);
}

const mostRemembered = 20_000;
/** As git sets it: nobody writes to an object. */
const readOnly = 0o444;

// With callbacks: a `FileHandle` for each costs as much again as what is done with it.
const write = promisify(writeFile);
const move = promisify(rename);
const discard = promisify(rm);
const look = promisify(stat);
const touch = promisify(utimes);
const squeeze = promisify(deflate);

/**
 * An object that is there counts as new from now on, by the disk's own clock: git prunes what nothing refers to by its
 * age (git-prune, "--expire"). False where that cannot be done, and it is written once more.
 */
async function isFreshened(place: string, draft: string): Promise<boolean> {
  await write(draft, "", { flag: "wx" });
  const { mtime } = await look(draft);
  const isThere = await touch(place, mtime, mtime).then(
    () => true,
    () => false,
  );
  await discard(draft, { force: true });
  return isThere;
}

/** Nothing makes ids shorter, of which trees are made, nor the one block that a disk gives to the smallest file. */
function isStored(object: Buffer): boolean {
  return object.length <= (object[0] === firstOfTree ? mostStoredBytes : diskBlock);
}

const firstOfTree = "t".charCodeAt(0);
const diskBlock = 4096;
/** git's own level (core.looseCompression). */
const fastest = { level: 1 };
/** A tenth of a millisecond of the main thread, less than it takes to ask another one. */
const mostAtOnce = 32 * 1024;

async function packed(object: Buffer): Promise<Buffer> {
  if (isStored(object)) return storedBlock(object);
  return object.length <= mostAtOnce ? deflateSync(object, fastest) : squeeze(object, fastest);
}
