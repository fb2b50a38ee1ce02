import { type RawPath, rawOf } from "../workspace/raw-path.ts";
import type { Collision, Stage } from "./three-way.ts";

/** What git left unsettled, path by path, in words. Pure: it reads git's answer and nothing else. */
export interface Place {
  path: RawPath;
  reason: string;
  sides: ReadonlyMap<"base" | "there" | "here", { mode: string; oid: string }>;
  /** Whether every side is a regular file that git did not call binary. */
  isText: boolean;
}

export function placesOf(collision: Collision): Place[] {
  const sides = sidesOf(collision);
  const types = new Map<RawPath, Set<string>>();
  const spoken = new Map<RawPath, Sides>();
  for (const note of collision.notes) {
    if (!note.type.startsWith("CONFLICT")) continue;
    const paths = note.paths.map((path) => unmoved(path, collision));
    const told = paths.map((path) => sides.get(path)).find((found) => found !== undefined);
    for (const path of paths) {
      types.set(path, (types.get(path) ?? new Set()).add(note.type));
      // A name that was moved away has no sides of its own: it is told by where it went.
      if (told) spoken.set(path, sides.get(path) ?? told);
    }
  }
  return [...new Set([...sides.keys(), ...types.keys()])].map((path) => {
    const own: Sides = sides.get(path) ?? new Map();
    const said = [...(types.get(path) ?? [])].join(" ");
    const isText = own.values().every((entry) => entry.mode.startsWith("100")) && !said.includes("(binary)");
    return { path, sides: own, isText, reason: reasonOf(said, spoken.get(path) ?? own) };
  });
}

type Sides = ReadonlyMap<"base" | "there" | "here", Stage>;

function sidesOf(collision: Collision): Map<RawPath, Map<"base" | "there" | "here", Stage>> {
  const sides = new Map<RawPath, Map<"base" | "there" | "here", Stage>>();
  for (const stage of collision.stages) {
    const path = unmoved(stage.path, collision);
    const found = sides.get(path) ?? new Map<"base" | "there" | "here", Stage>();
    sides.set(path, found.set(sideNames[stage.stage - 1] ?? "base", stage));
  }
  return sides;
}

const sideNames = ["base", "there", "here"] as const;

/** Git puts what is in the way at `path~<commit>`, and `_0`, `_1` behind that when this exists too. */
function unmoved(path: RawPath, collision: Collision): RawPath {
  for (const commit of [collision.ours, collision.theirs]) {
    const at = path.lastIndexOf(`~${commit}`);
    if (at > 0) return rawOf(path.slice(0, at));
  }
  return path;
}

/** The first line that holds gives the reason. */
const reasons: readonly [(said: string, sides: Sides) => boolean, string | ((sides: Sides) => string)][] = [
  [(_, sides) => hasMode(sides, "160000"), "both change a submodule"],
  [(said) => said.includes("(file/directory)"), "file and directory clash"],
  [(said) => said.includes("(distinct modes)"), "file types differ"],
  [(said) => said.includes("(rename/rename)"), "renamed to different names"],
  [(said) => said.includes("(rename/delete)"), (sides) => oneSided(sides, "renamed")],
  [(said) => said.includes("(modify/delete)"), (sides) => oneSided(sides, "edited")],
  [(said) => said.includes("(binary)"), "binary file changed in both"],
  [(_, sides) => hasMode(sides, "120000"), "both change a symlink"],
  [(_, sides) => sides.get("there")?.oid === sides.get("here")?.oid && sides.size > 1, "file modes differ"],
  [(_, sides) => !sides.has("base") && sides.size > 0, "both add it, differently"],
];

function reasonOf(said: string, sides: Sides): string {
  const reason = reasons.find(([holds]) => holds(said, sides))?.[1] ?? "edits overlap";
  return typeof reason === "string" ? reason : reason(sides);
}

function hasMode(sides: Sides, mode: string): boolean {
  return sides.values().some((side) => side.mode === mode);
}

function oneSided(sides: Sides, did: string): string {
  return sides.has("here") ? `deleted there, ${did} here` : `${did} there, deleted here`;
}
