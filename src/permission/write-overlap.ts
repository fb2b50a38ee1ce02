import type { PathPattern } from "../protocol/scope.ts";
import { fold } from "./case-fold.ts";
import { compileGlob } from "./glob.ts";
import { type GlobSegment, literalSegment, matchesSegment } from "./glob-segment.ts";

/**
 * Whether two sets of paths could have one in common, be it one that is not there yet. It knows no file system, takes
 * names that differ only by case for one, and may say yes too often, never no.
 */
export function mayOverlap(one: readonly PathPattern[], other: readonly PathPattern[]): boolean {
  const [a, b] = [areaOf(one), areaOf(other)];
  return (
    meets(a, b) ||
    meets(b, a) ||
    a.globs.some((glob) => [...b.paths].some((path) => intersect(glob, stepsTo(path)))) ||
    b.globs.some((glob) => [...a.paths].some((path) => intersect(glob, stepsTo(path)))) ||
    a.globs.some((glob) => b.globs.some((another) => intersect(glob, another)))
  );
}

type Step = "globstar" | GlobSegment | string;

interface Area {
  /** Files and directories, folded; "" is the whole repository. What is below one counts as well. */
  paths: ReadonlySet<string>;
  globs: readonly (readonly Step[])[];
}

const known = new WeakMap<readonly PathPattern[], Area>();

/** Lists of patterns are immutable once used: what was made of one is kept for as long as it lives. */
function areaOf(patterns: readonly PathPattern[]): Area {
  const area = known.get(patterns) ?? {
    paths: new Set(patterns.flatMap(plainPaths)),
    globs: patterns.flatMap((pattern) => ("glob" in pattern ? [stepsOf(pattern.glob)] : [])),
  };
  known.set(patterns, area);
  return area;
}

function plainPaths(pattern: PathPattern): string[] {
  if ("files" in pattern) return pattern.files.map(fold);
  return "directories" in pattern ? pattern.directories.map((path) => fold(path.replace(/\/+$/, ""))) : [];
}

function stepsOf(glob: string): readonly Step[] {
  const { steps, isName } = compileGlob(glob, true);
  const plain = steps.map((step) => (step === "globstar" ? step : plainly(step)));
  return isName ? ["globstar", ...plain] : plain;
}

/** A name without wildcards as its text, once. The word that stands for any folders cannot be one. */
function plainly(step: GlobSegment): Step {
  const text = literalSegment(step.tokens);
  return text === undefined || text === "globstar" ? step : text;
}

function stepsTo(path: string): readonly Step[] {
  return path === "" ? [] : path.split("/");
}

/** Whether a path of the one is, or is below, a path of the other. */
function meets({ paths }: Area, { paths: others }: Area): boolean {
  if (others.size > 0 && paths.has("")) return true;
  for (const path of paths) {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      if (others.has(path.slice(0, end))) return true;
    }
  }
  return false;
}

/** Where one has ended, all below is its own, and the other can go on as it likes. */
function intersect(one: readonly Step[], other: readonly Step[]): boolean {
  for (let at = 0; ; at++) {
    const [a, b] = [one[at], other[at]];
    if (a === undefined || b === undefined) return true;
    if (a === "globstar" || b === "globstar") return walkBoth(one, other, at);
    if (!couldBeSame(a, b)) return false;
  }
}

/** From the first place on where there is more than one way. */
function walkBoth(one: readonly Step[], other: readonly Step[], start: number): boolean {
  const seen = new Set<number>();
  const pending: [number, number][] = [[start, start]];
  for (let at = pending.pop(); at; at = pending.pop()) {
    const [i, j] = at;
    const [a, b] = [one[i], other[j]];
    if (a === undefined || b === undefined) return true;
    const key = i * (other.length + 1) + j;
    if (seen.has(key)) continue;
    seen.add(key);
    if (a === "globstar" || b === "globstar") pending.push([i + 1, j], [i, j + 1]);
    else if (couldBeSame(a, b)) pending.push([i + 1, j + 1]);
  }
  return false;
}

function couldBeSame(one: GlobSegment | string, other: GlobSegment | string): boolean {
  const [a, b] = [literalOf(one), literalOf(other)];
  if (a !== undefined && b !== undefined) return a === b;
  if (typeof one !== "string" && b !== undefined) return matchesSegment(one, [...b]);
  if (typeof other !== "string" && a !== undefined) return matchesSegment(other, [...a]);
  return typeof one === "string" || typeof other === "string" || haveSameEnds(one, other);
}

function literalOf(step: GlobSegment | string): string | undefined {
  return typeof step === "string" ? step : literalSegment(step.tokens);
}

/** What both begin and end with before their first and after their last wildcard. */
function haveSameEnds(one: GlobSegment, other: GlobSegment): boolean {
  const [a, b] = [endsOf(one), endsOf(other)];
  const begin = a.begin.startsWith(b.begin) || b.begin.startsWith(a.begin);
  return begin && (a.end.endsWith(b.end) || b.end.endsWith(a.end));
}

function endsOf({ tokens }: GlobSegment): { begin: string; end: string } {
  const characters = tokens.map((token) => (token.kind === "character" ? token.value : undefined));
  return {
    begin: characters.slice(0, characters.indexOf(undefined)).join(""),
    end: characters.slice(characters.lastIndexOf(undefined) + 1).join(""),
  };
}
