import { Fault } from "../protocol/failure.ts";
import type { Change, Version } from "./diff.ts";
import type { OpenWorkspace } from "./open-workspace.ts";
import type { Overlooked } from "./overlooked.ts";
import { putVersions } from "./put-versions.ts";
import { type RawPath, toShown } from "./raw-path.ts";
import { type RawTaken, takeRaw } from "./take-tree.ts";
import { withAncestors } from "./tree-listing.ts";

/**
 * After a command: what it changed and may keep stays, all else is as it was before it, byte for byte. Nothing is ever
 * put back or removed through a link that it left.
 */
export interface Settled {
  treeBefore: string;
  tree: string;
  /** How many files it changed and kept. */
  filesChanged: number;
  putBack: PutBack[];
}

export interface PutBack extends Objection {
  /** For a person. */
  path: string;
}

export interface Objection {
  rule: string;
  source: string;
  reason: string;
}

/** What speaks against changes, by path; those that are not named may stay. */
export type JudgeChanges = (changes: readonly Change[]) => Promise<ReadonlyMap<RawPath, Objection>>;

interface Settling {
  before: RawTaken;
  judge: JudgeChanges;
  overlooked: () => Promise<Overlooked>;
}

/** What is put back may uncover more; more often than this, somebody else writes there too. */
const mostRounds = 4;

export async function settle(open: OpenWorkspace, { before, judge, overlooked }: Settling): Promise<Settled> {
  const putBack = new Map<RawPath, Objection>();
  for (let round = 0; round < mostRounds; round++) {
    const after = await takeRaw(open, await overlooked());
    const changes = changesBetween(before, after);
    const objections = new Map([...refusedByTree(after), ...(await judge(changes))]);
    for (const [path, objection] of objections) if (!putBack.has(path)) putBack.set(path, objection);
    const paths = [...objections.keys()];
    if (paths.length === 0) {
      return {
        treeBefore: before.tree,
        tree: after.tree,
        filesChanged: changes.length,
        putBack: [...putBack].map(([path, objection]) => ({ path: toShown(path), ...objection })),
      };
    }
    await putVersions(open, paths, versionsAt(open, before, paths));
  }
  throw new Fault("internal", "what a command changed outside its scope could not be put back", {
    remedy: "something outside the sandbox writes into the workspace at the same time; look for it",
  });
}

function refusedByTree({ refused }: RawTaken): Map<RawPath, Objection> {
  return new Map(refused.map(({ path, rule = "workspace", reason }) => [path, { rule, source: "sheaf", reason }]));
}

/** What changed from one taken tree of a workspace to a later one. */
function changesBetween(before: RawTaken, after: RawTaken): Change[] {
  const earlier = new Map(before.touched.map((change) => [change.path, change]));
  const later = new Map(after.touched.map((change) => [change.path, change]));
  const changes: Change[] = [];
  for (const path of new Set([...earlier.keys(), ...later.keys()])) {
    const [was, is] = [earlier.get(path), later.get(path)];
    const from = was ? was.after : (is?.before ?? null);
    const to = is ? is.after : (was?.before ?? null);
    if (from?.mode !== to?.mode || from?.oid !== to?.oid) changes.push({ path, before: from, after: to });
  }
  return changes;
}

/** What stood at these paths and below them. A file that was withheld stays away, and is not taken for deleted. */
function versionsAt(open: OpenWorkspace, before: RawTaken, paths: readonly RawPath[]): Map<RawPath, Version> {
  const wanted = new Set(paths);
  const isWanted = (path: RawPath) => [...withAncestors(path)].some((step) => wanted.has(step));
  const versions = new Map<RawPath, Version>();
  for (const [path, entry] of open.listing.entries) if (isWanted(path)) versions.set(path, entry);
  for (const { path, after } of before.touched) {
    if (after) versions.set(path, after);
    else versions.delete(path);
    if (!isWanted(path)) versions.delete(path);
  }
  for (const path of versions.keys()) {
    if (!open.withheld.has(path)) continue;
    versions.delete(path);
    open.held.delete(path);
  }
  return versions;
}
