import type { Decision, PathRule, PathTool, Scope, ScopeLayer } from "../protocol/scope.ts";
import { compilePattern } from "./pattern.ts";
import { isGitInternal, protectedAs } from "./protected-path.ts";
import { type Subject, subjectOf } from "./subject.ts";
import { isStopped, limits, type Question, rulesOf, weigh } from "./weigh.ts";

/**
 * The answer to "may this run touch that path?". It knows no file system: the caller says what the canonical path
 * is. Deny before ask before allow, every layer must allow, and within a list the first match; specificity never matters.
 */
export interface PathFacts {
  isCaseInsensitive: boolean;
  /** True for a directory: a pattern with a slash at its end then covers the path itself. */
  isDirectory?: boolean;
}

/** `path` is canonical and relative to the repository root. Throws Fault `rule` if a pattern of the scope is none. */
export function decide(scope: Scope, tool: PathTool, path: string, facts: PathFacts): Decision {
  if (isGitInternal(path)) return refuseProtected(tool, path, ".git", "nothing may touch git's own folder");
  const subject = subjectOf(path, facts);
  const weighed = weigh(scope, pathQuestion(tool, subject));
  if (weighed.effect === "deny" || tool === "Read") return weighed;
  return refuseUnnamed(scope, subject, path) ?? weighed;
}

/** A path as rules see it. What may not be read may not be edited, and what is asked about before reading is before editing. */
export function pathQuestion(tool: PathTool, subject: Subject): Question<PathTool> {
  const holds = (rule: PathRule) => compilePattern(rule.paths, subject.isFolded).covers(subject);
  const about = show(subject.path);
  if (tool === "Read") return { tool, covers: holds, about };
  return { tool, covers: holds, about, also: { tool: "Read", covers: holds, because: readsToo } };
}

const readsToo = "what may not be read may not be edited";

/** For a symlink: the link and everything it leads to must be allowed; a deny, then an ask, of any of them decides. */
export function decideBoth(scope: Scope, tool: PathTool, paths: readonly string[], facts: PathFacts): Decision {
  const decisions = paths.map((path) => decide(scope, tool, path, facts));
  const first = (effect: Decision["effect"]) => decisions.find((decision) => decision.effect === effect);
  return first("deny") ?? first("ask") ?? decisions.at(-1) ?? noPath;
}

const noPath: Decision = { effect: "deny", rule: "no rule", source: "scope", reason: "no path was named" };

/** Whether anything below this directory could be allowed, be it by asking; may say yes too often, never no. */
export function mayHoldAllowed(scope: Scope, tool: PathTool, directory: string, facts: PathFacts): boolean {
  if (isGitInternal(directory) || isStopped(scope, tool)) return false;
  const subject = subjectOf(directory, { ...facts, isDirectory: true });
  const reaches = (rule: PathRule) => compilePattern(rule.paths, subject.isFolded).couldCoverBelow(subject);
  return (
    scope.layers.length > 0 && scope.layers.every((layer, index) => isOpen(layer, { index, tool, scope, reaches }))
  );
}

interface Reach {
  index: number;
  tool: PathTool;
  scope: Scope;
  reaches(rule: PathRule): boolean;
}

function isOpen(layer: ScopeLayer, { index, tool, scope, reaches }: Reach): boolean {
  if (index === 0 ? scope.mode === "ask" : !limits(layer, tool)) return true;
  return rulesOf(layer, "allow", tool).some(reaches) || rulesOf(layer, "ask", tool).some(reaches);
}

/** Only the first layer grants, so that a narrowing layer cannot lift a protection by naming the path. */
function refuseUnnamed(scope: Scope, subject: Subject, path: string): Decision | undefined {
  const kind = protectedAs(path);
  if (kind === undefined) return undefined;
  const granted = scope.layers[0] ? rulesOf(scope.layers[0], "allow", "Edit") : [];
  const named = granted.some((rule) => compilePattern(rule.paths, subject.isFolded).names(subject));
  return named ? undefined : refuseProtected("Edit", path, kind, "only a rule that names this very path allows it");
}

function refuseProtected(tool: PathTool, path: string, kind: string, because: string): Decision {
  const verb = tool === "Read" ? "read" : "edited";
  const reason = `${show(path)} may not be ${verb}: ${kind} is protected, ${because}`;
  return { effect: "deny", rule: "protected", source: "sheaf", reason };
}

function show(path: string): string {
  return path === "" ? "the repository root" : JSON.stringify(path);
}
