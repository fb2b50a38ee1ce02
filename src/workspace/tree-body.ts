import { Fault } from "../protocol/failure.ts";
import { rawOf, toShown } from "./raw-path.ts";

/**
 * Tree objects, byte for byte as git stores them: `<mode> <name> NUL <id>` in git's order. It refuses a mode, a name or
 * an id that no tree may hold, and writes no name twice. Whether what it points at is there is not its question.
 */
export interface Child {
  /** As in the object: `40000` for a directory, six digits for all else. */
  mode: string;
  oid: string;
}

/** A tree object, without its header, and where in it each entry is. */
export interface TreeBody {
  bytes: Buffer;
  /** In git's order, which takes a directory's name for one that ends with a slash. */
  keys: readonly string[];
  /** Offsets in `bytes`, with its end as the last. */
  starts: readonly number[];
}

export type Edits = ReadonlyMap<string, Child | undefined>;

/** Names are bytes, one character each. Throws Fault `git` for what no tree may hold. */
export function encodeTree(children: Iterable<readonly [string, Child]>, format: "sha1" | "sha256"): TreeBody {
  const sorted = [...children].map((child) => ({ key: keyOf(...child), bytes: encodeEntry(...child, format) }));
  sorted.sort((a, b) => (a.key < b.key ? -1 : 1));
  const starts = [0];
  for (const { bytes } of sorted) starts.push((starts.at(-1) ?? 0) + bytes.length);
  return { bytes: Buffer.concat(sorted.map(({ bytes }) => bytes)), keys: sorted.map(({ key }) => key), starts };
}

/** The tree that these edits make of another, by name; undefined takes a name out. All else is copied as it stands. */
export function editTree(body: TreeBody, edits: Edits, format: "sha1" | "sha256"): Buffer {
  const cuts = [...edits].flatMap(([name, child]) => cutsFor(body, name, child, format)).sort(inOrder);
  const pieces: Buffer[] = [];
  let next = 0;
  for (const { index, bytes } of cuts) {
    pieces.push(between(body, next, index));
    if (bytes) pieces.push(bytes);
    next = bytes ? index : index + 1;
  }
  pieces.push(between(body, next, body.keys.length));
  return Buffer.concat(pieces);
}

interface Cut {
  index: number;
  key: string;
  /** What comes in before the entry at `index`; without it, that entry goes. */
  bytes?: Buffer;
}

function cutsFor(body: TreeBody, name: string, child: Child | undefined, format: "sha1" | "sha256"): Cut[] {
  const there = [name, `${name}/`].map((key) => ({ key, index: placeOf(body.keys, key) }));
  const cuts: Cut[] = there.filter(({ key, index }) => body.keys[index] === key);
  if (!child) return cuts;
  const key = keyOf(name, child);
  return [...cuts, { key, index: placeOf(body.keys, key), bytes: encodeEntry(name, child, format) }];
}

/** At one place, all that comes in is before what goes. */
function inOrder(a: Cut, b: Cut): number {
  return a.index - b.index || Number(!a.bytes) - Number(!b.bytes) || (a.key < b.key ? -1 : 1);
}

/** The first entry that is not before `key`. */
function placeOf(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function between({ bytes, starts }: TreeBody, from: number, to: number): Buffer {
  return bytes.subarray(starts[from], starts[to]);
}

function keyOf(name: string, { mode }: Child): string {
  return mode === "40000" ? `${name}/` : name;
}

function encodeEntry(name: string, { mode, oid }: Child, format: "sha1" | "sha256"): Buffer {
  if (!isName(name) || !modes.test(mode) || !ids[format].test(oid)) {
    throw new Fault("git", `no tree may hold ${JSON.stringify(toShown(rawOf(name)))} as ${mode} ${oid}`);
  }
  const bytes = Buffer.allocUnsafe(mode.length + name.length + 2 + oid.length / 2);
  const end = bytes.write(`${mode} ${name}\0`, "latin1");
  bytes.write(oid, end, "hex");
  return bytes;
}

/** Old trees hold files of other rights; what stands in one is not made another. */
const modes = /^(?:100[0-7]{3}|120000|160000|40000)$/;
const ids = { sha1: /^[0-9a-f]{40}$/, sha256: /^[0-9a-f]{64}$/ };

/** One that git checks out (verify_path in its read-cache.c). */
function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name) && !/^\.git$/i.test(name);
}
