import { Fault } from "../protocol/failure.ts";
import { type Change, changesOf, type Version } from "./diff.ts";
import { filteredAmong } from "./filtered.ts";
import { type OnDisk, onDisk } from "./on-disk.ts";
import { quoted, type RawPath, toShown } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import { type UserView, withUserView } from "./user-view.ts";

/**
 * What applying a change to the user's files amounts to, path by path, or the Fault that names what is in the way. It
 * only looks. A path that already is as it should become is no step.
 */
export interface ApplyStep {
  path: RawPath;
  /** null: delete. */
  after: Version | null;
  /** `exact`: bytes as in the blob; `converted`: line endings and the like as the user's git would write them. */
  content: "exact" | "converted";
}

export async function planApply(repository: Repository, from: string, to: string): Promise<{ steps: ApplyStep[] }> {
  const changes = await changesOf(repository, from, to);
  if (changes.length === 0) return { steps: [] };
  return await withUserView(repository, async (view) => {
    const seen = await look(repository, view, changes);
    const removed = new Set(changes.filter(({ after }) => after === null).map(({ path }) => path));
    const verdicts = changes.map((change, index) => judge(repository, change, { ...sightOf(seen, index), removed }));
    const obstacles = verdicts.flatMap((verdict, index) => {
      const path = changes[index]?.path;
      return typeof verdict === "string" && path !== undefined ? [{ path, reason: verdict }] : [];
    });
    if (obstacles.length > 0) throw inTheWay(repository, obstacles);
    return { steps: verdicts.filter((verdict) => typeof verdict === "object") };
  });
}

function sightOf(seen: readonly Sight[], index: number): Sight {
  return seen[index] ?? { disk: { kind: "other" }, converted: undefined, isFiltered: false };
}

interface Sight {
  disk: OnDisk;
  /** The blob id after the user's conversions, where it was worth asking. */
  converted: string | undefined;
  isFiltered: boolean;
}

async function look(repository: Repository, view: UserView, changes: readonly Change[]): Promise<Sight[]> {
  const disks: OnDisk[] = [];
  for (const { path } of changes) disks.push(await onDisk(repository, path));
  const unclear = changes.flatMap(({ path, before }, index) => {
    const disk = disks[index];
    return disk?.kind === "file" && disk.oid !== before?.oid ? [path] : [];
  });
  const converted = await convertedIds(repository, view, unclear);
  const filtered = await filteredAmong(repository, view, unclear);
  return changes.map(({ path }, index) => ({
    disk: disks[index] ?? { kind: "nothing" },
    converted: converted.get(path),
    isFiltered: filtered.has(path),
  }));
}

async function convertedIds(
  { git }: Repository,
  view: UserView,
  paths: readonly RawPath[],
): Promise<Map<RawPath, string>> {
  if (paths.length === 0) return new Map();
  const { stdout } = await git([...view.flags, "hash-object", "--stdin-paths"], {
    ...view.where,
    input: paths.map((path) => `${quoted(path)}\n`).join(""),
  });
  const oids = stdout.toString("latin1").split("\n");
  return new Map(paths.map((path, index) => [path, oids[index] ?? ""]));
}

/** A step, nothing to do, or the reason against it. */
function judge(
  repository: Repository,
  { path, before, after }: Change,
  sight: Sight & { removed: ReadonlySet<RawPath> },
): ApplyStep | string | undefined {
  if (before?.mode === "160000" || after?.mode === "160000") return "is a submodule";
  if (isGone(sight, after) || likeness(repository, sight, after)) return undefined;
  const content = likeness(repository, sight, before);
  // What is new is written as the user's git would write it; what is there keeps the form it has.
  if (content) return { path, after, content: before === null ? "converted" : content };
  if (before === null && maySettle(sight)) return { path, after, content: "converted" };
  return obstacle(sight, before);
}

/** What was to be deleted has given way to something of another kind already. */
function isGone({ disk }: Sight, after: Version | null): boolean {
  return after === null && (disk.kind === "directory" || disk.kind === "blocked");
}

/** Whether, and in which form, the disk holds a version. */
function likeness(repository: Repository, sight: Sight, version: Version | null): ApplyStep["content"] | undefined {
  const { disk, converted } = sight;
  if (matches(repository, disk, version)) return "exact";
  if (disk.kind !== "file" || version === null || converted === undefined) return undefined;
  return matches(repository, { ...disk, oid: converted }, version) ? "converted" : undefined;
}

/** Something that the change itself takes away, if it is all there is: that shows when it is made. */
function maySettle({ disk, removed }: Sight & { removed: ReadonlySet<RawPath> }): boolean {
  return disk.kind === "directory" || (disk.kind === "blocked" && removed.has(disk.by));
}

function obstacle({ disk, isFiltered }: Sight, before: Version | null): string {
  if (disk.kind === "blocked") return disk.reason;
  if (isFiltered) return "goes through a filter, which Sheaf does not run";
  return before === null ? "is there already" : "has changes of its own";
}

function matches({ userConfig }: Repository, disk: OnDisk, version: Version | null): boolean {
  if (version === null) return disk.kind === "nothing";
  if (disk.kind !== "file" && disk.kind !== "link") return false;
  const isLink = version.mode === "120000";
  if (isLink !== (disk.kind === "link") || disk.oid !== version.oid) return false;
  const countsMode = userConfig.get("core.filemode") !== "false";
  return isLink || !countsMode || disk.mode === version.mode;
}

function inTheWay(repository: Repository, obstacles: readonly { path: RawPath; reason: string }[]): Fault {
  const named = obstacles.slice(0, 20).map(({ path, reason }) => `${toShown(path)} ${reason}`);
  const more = obstacles.length > named.length ? `, and ${obstacles.length - named.length} more` : "";
  return new Fault("conflict", `nothing was applied to ${repository.user.top}: ${named.join(", ")}${more}`, {
    remedy: "commit, stash or move these files, or publish to a branch instead",
  });
}
