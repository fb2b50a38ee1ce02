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
  const sides = new Map<RawPath, Map<"base" | "there" | "here", Stage>>();
  const types = new Map<RawPath, Set<string>>();
  const rename = (path: RawPath) => unmoved(path, collision);
  for (const stage of collision.stages) {
    const path = rename(stage.path);
    sides.set(path, (sides.get(path) ?? new Map()).set(sideNames[stage.stage - 1] ?? "base", stage));
  }
  for (const note of collision.notes) {
    if (!note.type.startsWith("CONFLICT")) continue;
    for (const path of note.paths.map(rename)) types.set(path, (types.get(path) ?? new Set()).add(note.type));
  }
  const paths = new Set([...sides.keys(), ...types.keys()]);
  return [...paths].map((path) => {
    const entries = sides.get(path) ?? new Map<"base" | "there" | "here", Stage>();
    const said = [...(types.get(path) ?? [])].join(" ");
    const isText = entries.values().every((entry) => entry.mode.startsWith("100")) && !said.includes("(binary)");
    return { path, sides: entries, isText, reason: reasonOf(said, entries) };
  });
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

type Sides = ReadonlyMap<"base" | "there" | "here", Stage>;

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
