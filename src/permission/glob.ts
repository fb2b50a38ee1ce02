import { fold } from "./case-fold.ts";
import { compileSegment, type GlobSegment, matchesSegment, type Name } from "./glob-segment.ts";
import { parseGlob } from "./glob-syntax.ts";

/**
 * A gitignore pattern over canonical repository paths, as a set of states that walks the path's segments: time is
 * bounded by pattern x path, so neither a rule nor a file name can stall a decision.
 */
export interface Glob {
  steps: readonly Step[];
  isName: boolean;
  isDirectoryOnly: boolean;
  /** The one path it names, folded where `isFolded`. */
  literal: string | undefined;
}

type Step = "globstar" | GlobSegment;

/** A path's segments, folded as the glob was. */
export type Segments = readonly Name[];

/** Throws Fault `rule` on a pattern that cannot be a rule. */
export function compileGlob(glob: string, isFolded: boolean): Glob {
  const syntax = parseGlob(glob);
  const steps = syntax.segments.map(
    (segment): Step => (segment === "globstar" ? segment : compileSegment(segment, isFolded)),
  );
  const literal = isFolded && syntax.literal !== undefined ? fold(syntax.literal) : syntax.literal;
  return { steps, isName: syntax.isName, isDirectoryOnly: syntax.isDirectoryOnly, literal };
}

/** Whether the path, or a directory above it, matches: a pattern that matches a directory covers all below it. */
export function covers(glob: Glob, segments: Segments, isDirectory: boolean): boolean {
  const canEndAtLast = !glob.isDirectoryOnly || isDirectory;
  const candidates = canEndAtLast ? segments : segments.slice(0, -1);
  if (glob.isName) return candidates.some((segment) => matchesStep(glob.steps[0], segment));
  let states = closure(glob.steps, new Set([0]));
  for (const segment of candidates) {
    states = advance(glob.steps, states, segment);
    if (states.has(glob.steps.length)) return true;
    if (states.size === 0) return false;
  }
  return false;
}

/** Whether the path itself matches, whatever stands above it: what searching for files means by a pattern. */
export function matches(glob: Glob, segments: Segments): boolean {
  let states = closure(glob.steps, new Set([0]));
  for (const segment of segments) states = advance(glob.steps, states, segment);
  return states.has(glob.steps.length);
}

/** Whether something below this directory (or it) could be covered; may say yes too often, never no. */
export function couldCoverBelow(glob: Glob, directory: Segments): boolean {
  if (glob.isName) return true;
  let states = closure(glob.steps, new Set([0]));
  for (const segment of directory) {
    states = advance(glob.steps, states, segment);
    if (states.has(glob.steps.length)) return true;
  }
  return states.size > 0;
}

function advance(steps: readonly Step[], states: ReadonlySet<number>, segment: Name): Set<number> {
  const next = new Set<number>();
  for (const state of states) {
    const step = steps[state];
    const isLast = state === steps.length - 1;
    if (step === "globstar") next.add(state);
    if (step === "globstar" && isLast) next.add(state + 1);
    if (matchesStep(step, segment)) next.add(state + 1);
  }
  return closure(steps, next);
}

/** A `**` that is not the last may stand for nothing. */
function closure(steps: readonly Step[], states: Set<number>): Set<number> {
  for (const state of states) {
    if (steps[state] === "globstar" && state < steps.length - 1) states.add(state + 1);
  }
  return states;
}

function matchesStep(step: Step | undefined, segment: Name): boolean {
  return step !== undefined && step !== "globstar" && matchesSegment(step, segment);
}
