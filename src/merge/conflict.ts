import type { TaskId } from "../protocol/ids.ts";
import { type RawPath, rawOf, toShown } from "../workspace/raw-path.ts";
import type { Repository } from "../workspace/repository.ts";
import { editsOf } from "./edits.ts";
import { hunksOf, type Labels, writeSections } from "./hunks.ts";
import type { Clash } from "./names.ts";
import { type Place, placesOf } from "./places.ts";
import type { Collision } from "./three-way.ts";

/**
 * Why a task was left out, for the person or the agent that settles it. It explains and never resolves.
 * "There" is what was accepted before, "here" is the task that was left out.
 */
export interface Conflict {
  taskId: TaskId;
  /** The accepted tasks it met, in task order; empty when it clashes with the base or with itself. */
  with: TaskId[];
  /** As text; bytes that are not UTF-8 are written as \xNN. Empty where only a need of it is missing. */
  paths: string[];
  /** The distinct reasons, joined by "; "; `needs` where it was left out with a task that it builds on. */
  reason: string;
  /** The conflicting places with markers, path by path; what has no text is named by its blob ids. Bounded. */
  hunks: string;
}

type Sides = Pick<Conflict, "taskId" | "with">;

/** A clash of names: no contents are needed to see it. */
export function ofNames(clash: Clash, sides: Sides): Conflict {
  const [name, other] = clash.names.map((raw) => toShown(rawOf(raw))) as [string, string];
  const where = sides.with.length > 0 ? sides.with.join(", ") : "the base or the task itself";
  const body =
    clash.kind === "file and directory clash"
      ? `${name} is a file on one side and a directory on the other: ${where}`
      : `${other} is there already: ${where}`;
  const hunks = writeSections([{ title: `${name}: ${clash.kind}`, body }]);
  return { ...sides, paths: [...new Set([name, other])], reason: clash.kind, hunks };
}

/** It builds on tasks that are not there: its own edits alone were never seen to work. */
export function ofNeeds(taskId: TaskId, missing: readonly Conflict[]): Conflict {
  return { taskId, with: missing.map((left) => left.taskId), paths: [], reason: "needs", hunks: "" };
}

/** What `git merge-tree` could not settle. `met` says which accepted tasks are concerned at these paths. */
export async function ofContents(
  repository: Repository,
  collision: Collision,
  task: { taskId: TaskId; met: (paths: readonly RawPath[]) => TaskId[] },
): Promise<Conflict> {
  const places = placesOf(collision);
  const sides = { taskId: task.taskId, with: task.met(places.map((place) => place.path)) };
  const [marked = []] = await editsOf(repository, [{ from: collision.ours, to: collision.tree }]);
  const merged = new Map(marked.map((edit) => [edit.path, edit.after?.split(" ")[1]]));
  const there = sides.with.join("+") || "base";
  const labels = { ours: collision.ours, theirs: collision.theirs, there, here: task.taskId };
  const sections = [];
  for (const place of places.slice(0, mostPlaces)) {
    const body = await bodyOf(repository, place, { oid: merged.get(place.path), labels });
    sections.push({ title: `${toShown(place.path)}: ${place.reason}`, body });
  }
  const more =
    places.length > mostPlaces ? [{ title: `... and ${places.length - mostPlaces} more paths`, body: "" }] : [];
  const reason = [...new Set(places.map((place) => place.reason))].join("; ");
  const paths = places.map((place) => toShown(place.path));
  return { ...sides, paths, reason, hunks: writeSections([...sections, ...more]) };
}

const mostPlaces = 50;
/** A blob above this is named and not shown. */
const mostBytes = 4 << 20;

async function bodyOf(
  repository: Repository,
  place: Place,
  merged: { oid: string | undefined; labels: Labels },
): Promise<string> {
  const text = merged.oid && place.isText ? await textOf(repository, merged.oid) : "";
  const hunks = hunksOf(text, merged.labels);
  if (hunks) return hunks;
  const listed = [...place.sides.entries()].map(([side, entry]) => `${side} ${entry.mode} ${entry.oid}`);
  return [...listed, await editOf(repository, place)].join("\n");
}

/** Where one side edited what the other took away: the edit, as a diff against the base. */
async function editOf(repository: Repository, place: Place): Promise<string> {
  const base = place.sides.get("base");
  const kept = place.sides.get("there") ?? place.sides.get("here");
  const isOneSided = place.sides.has("there") !== place.sides.has("here");
  if (!place.isText || !isOneSided || !base || !kept || base.oid === kept.oid) return "";
  const sizes = await Promise.all([base, kept].map((side) => repository.objects.info(side.oid)));
  if (sizes.some((found) => !found || found.size > mostBytes)) return "";
  const args = ["diff", "--no-color", "--no-ext-diff", "--no-textconv", base.oid, kept.oid];
  const output = await repository.git(args, { gitDir: repository.gitDir });
  const text = output.stdout.toString();
  const start = text.indexOf("\n@@");
  return start < 0 ? "" : text.slice(start + 1);
}

async function textOf(repository: Repository, oid: string): Promise<string> {
  const found = await repository.objects.info(oid);
  if (found?.type !== "blob" || found.size > mostBytes) return "";
  return (await repository.objects.read(oid))?.toString() ?? "";
}
