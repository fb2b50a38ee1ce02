/**
 * Where a requested path really leads, component by component. It never touches a disk itself: it asks what each
 * component is, and what leaves the root comes back as an escape, before anything outside has been looked at.
 */
export type Seen =
  | { kind: "file" | "directory" | "other" | "submodule" | "missing"; name?: string }
  /** `target` as the link holds it. */
  | { kind: "link"; target: string; name?: string };

export interface Contained {
  requested: string;
  /** Relative to the root, "/"-separated, without links, `.` or `..`; "" is the root. */
  canonical: string;
  /** One path for each link followed: the link, and what was still to come behind it. */
  viaLinks: readonly string[];
  exists: boolean;
  /** `link` only where the last component was not to be followed; `other` is a FIFO, device or socket. */
  kind: Seen["kind"];
  /** A file that stands where the path needs a directory. */
  blockedBy?: string;
}

/** Why a path is refused: it is outside the root, or a symlink on its way leads there. */
export interface Escape {
  requested: string;
  escape: "outside" | "symlink";
  reason: string;
}

export interface WalkOptions {
  /** Absolute path of the root; absolute paths below it are taken as relative to it. */
  root: string;
  /** False where the link itself is meant, as in a deletion. */
  followsLast?: boolean;
}

/** The walk for a caller who can answer at once. `look` gets paths relative to the root. */
export function containSync(requested: string, look: (path: string) => Seen, options: WalkOptions): Contained | Escape {
  const walk = walkPath(requested, options);
  let step = walk.next();
  while (!step.done) step = walk.next(look(step.value));
  return step.value;
}

/** The walk for a caller who may have to ask elsewhere. */
export async function contain(
  requested: string,
  look: (path: string) => Promise<Seen> | Seen,
  options: WalkOptions,
): Promise<Contained | Escape> {
  const walk = walkPath(requested, options);
  let step = walk.next();
  while (!step.done) step = walk.next(await look(step.value));
  return step.value;
}

export function isEscape(resolved: Contained | Escape): resolved is Escape {
  return "escape" in resolved;
}

/** As many as Linux follows (path_resolution(7)). */
const mostLinks = 40;
/** PATH_MAX. */
const mostBytes = 4_096;

interface Walk {
  requested: string;
  root: string;
  followsLast: boolean;
  done: string[];
  pending: string[];
  links: string[];
  last: Seen;
  blockedBy: string | undefined;
}

function* walkPath(requested: string, options: WalkOptions): Generator<string, Contained | Escape, Seen> {
  const start = relativeNames(requested, options.root);
  if (typeof start === "string") return { requested, escape: "outside", reason: start };
  const walk: Walk = {
    requested,
    root: options.root,
    followsLast: options.followsLast ?? true,
    done: [],
    pending: start,
    links: [],
    last: { kind: "directory" },
    blockedBy: undefined,
  };
  for (let name = walk.pending.shift(); name !== undefined; name = walk.pending.shift()) {
    const refusal = isPlain(name) ? enter(walk, name, yield [...walk.done, name].join("/")) : turn(walk, name);
    if (refusal) return refusal;
  }
  return contained(walk);
}

function isPlain(name: string): boolean {
  return name !== "" && name !== "." && name !== "..";
}

function turn(walk: Walk, name: string): Escape | undefined {
  if (name !== "..") return undefined;
  if (walk.done.pop() === undefined) return climbed(walk);
  walk.last = { kind: "directory" };
  walk.blockedBy = undefined;
  return undefined;
}

function enter(walk: Walk, name: string, seen: Seen): Escape | undefined {
  const isFollowed = seen.kind === "link" && (walk.followsLast || walk.pending.some(isPlain));
  if (isFollowed) return follow(walk, name, seen.target);
  if (walk.last.kind !== "directory" && walk.last.kind !== "missing") walk.blockedBy ??= walk.done.join("/");
  walk.done.push(seen.name ?? name);
  walk.last = seen;
  return undefined;
}

function follow(walk: Walk, name: string, target: string): Escape | undefined {
  const link = [...walk.done, name].join("/");
  const rest = walk.pending.filter((each) => each !== "" && each !== ".");
  walk.links.push(rest.includes("..") ? link : [link, ...rest].join("/"));
  if (walk.links.length > mostLinks) {
    return escaped(walk, `${show(link)} is a symlink that never ends (more than ${mostLinks} hops)`);
  }
  const names = relativeNames(target, walk.root);
  if (typeof names === "string") return escaped(walk, `${show(link)} is a symlink to ${show(target)}, ${names}`);
  if (target.startsWith("/")) walk.done = [];
  walk.pending = [...names, ...walk.pending];
  return undefined;
}

function climbed(walk: Walk): Escape {
  const link = walk.links.at(-1);
  if (link !== undefined) return escaped(walk, `the symlink ${show(link)} leads outside the repository`);
  return { requested: walk.requested, escape: "outside", reason: `${show(walk.requested)} is outside the repository` };
}

function escaped(walk: Walk, reason: string): Escape {
  return { requested: walk.requested, escape: "symlink", reason };
}

function contained(walk: Walk): Contained {
  const canonical = walk.done.join("/");
  const kind = walk.blockedBy === undefined ? walk.last.kind : "missing";
  const blocked = walk.blockedBy === undefined ? {} : { blockedBy: walk.blockedBy };
  const { requested, links: viaLinks } = walk;
  return { requested, canonical, viaLinks, exists: kind !== "missing", kind, ...blocked };
}

/** The names of a path relative to the root, or why it has none. */
function relativeNames(path: string, root: string): string[] | string {
  if (path === "") return "an empty path names nothing";
  if (path.includes("\0")) return "the path holds a NUL character, which no file name can";
  if (!path.isWellFormed()) return "the path is not valid Unicode";
  if (Buffer.byteLength(path) > mostBytes) return `the path is longer than ${mostBytes} bytes`;
  if (!path.startsWith("/")) return path.split("/");
  if (path === root) return [];
  if (path.startsWith(`${root}/`)) return path.slice(root.length + 1).split("/");
  return `${show(path)} is outside the repository`;
}

function show(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path);
}
