import type { Decision, PathRule, PathTool, Rule, Scope, ScopeLayer } from "../protocol/scope.ts";
import { compilePattern } from "./pattern.ts";
import { isGitInternal, protectedAs } from "./protected-path.ts";
import { type Subject, subjectOf } from "./subject.ts";

/**
 * The answer to "may this run touch that path?". It knows no file system: the caller says what the canonical path
 * is. Deny before allow, every layer must allow, and within a list the first match; specificity never matters.
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
  const denied = findDeny(scope, tool, subject);
  if (denied) return denied;
  const granted = findAllow(scope, tool, subject);
  if (granted.effect === "deny" || tool === "Read") return granted;
  return refuseUnnamed(scope, subject, path) ?? granted;
}

/** For a symlink: the link and everything it leads to must be allowed; a deny of any of them decides. */
export function decideBoth(scope: Scope, tool: PathTool, paths: readonly string[], facts: PathFacts): Decision {
  const decisions = paths.map((path) => decide(scope, tool, path, facts));
  const denied = decisions.find((decision) => decision.effect === "deny");
  return denied ?? decisions.at(-1) ?? noRule("scope", `no path was named`);
}

/** Whether anything below this directory could be allowed; may say yes too often, never no. */
export function mayHoldAllowed(scope: Scope, tool: PathTool, directory: string, facts: PathFacts): boolean {
  if (isGitInternal(directory)) return false;
  const subject = subjectOf(directory, { ...facts, isDirectory: true });
  return scope.layers.every((layer) =>
    rulesFor(layer.allow, tool).some((rule) => compilePattern(rule.paths, subject.isFolded).couldCoverBelow(subject)),
  );
}

function findDeny(scope: Scope, tool: PathTool, subject: Subject): Decision | undefined {
  for (const layer of scope.layers) {
    const about = [...rulesFor(layer.deny, "Read"), ...(tool === "Edit" ? rulesFor(layer.deny, "Edit") : [])];
    const rule = about.find((each) => holds(each, subject));
    if (rule) return { effect: "deny", rule: rule.id, source: layer.source, reason: denyReason(rule, tool, subject) };
  }
  return undefined;
}

function denyReason(rule: PathRule, tool: PathTool, subject: Subject): string {
  const blocked = rule.tool === tool ? "" : `, and what may not be read may not be edited`;
  return `a deny rule covers ${show(subject.path)}${blocked}`;
}

function findAllow(scope: Scope, tool: PathTool, subject: Subject): Decision {
  let granted: Decision | undefined;
  for (const layer of scope.layers) {
    const rule = rulesFor(layer.allow, tool).find((each) => holds(each, subject));
    if (!rule) return noRule(layer.source, unmatched(layer, tool, subject));
    granted ??= { effect: "allow", rule: rule.id, source: layer.source, reason: `${rule.id} covers it` };
  }
  return granted ?? noRule("scope", "this run was given no rules");
}

function unmatched(layer: ScopeLayer, tool: PathTool, subject: Subject): string {
  const ids = rulesFor(layer.allow, tool).map((rule) => rule.id);
  const shown = ids.length > 5 ? [...ids.slice(0, 5), `and ${ids.length - 5} more`] : ids;
  const allowed = shown.length > 0 ? `it allows ${shown.join(", ")}` : `it allows no ${tool}`;
  return `no ${tool} rule of the ${layer.source} covers ${show(subject.path)}; ${allowed}`;
}

/** Only the first layer grants, so that a narrowing layer cannot lift a protection by naming the path. */
function refuseUnnamed(scope: Scope, subject: Subject, path: string): Decision | undefined {
  const kind = protectedAs(path);
  if (kind === undefined) return undefined;
  const named = rulesFor(scope.layers[0]?.allow ?? [], "Edit").some((rule) =>
    compilePattern(rule.paths, subject.isFolded).names(subject),
  );
  return named ? undefined : refuseProtected("Edit", path, kind, "only a rule that names this very path allows it");
}

function refuseProtected(tool: PathTool, path: string, kind: string, because: string): Decision {
  const verb = tool === "Read" ? "read" : "edited";
  const reason = `${show(path)} may not be ${verb}: ${kind} is protected, ${because}`;
  return { effect: "deny", rule: "protected", source: "sheaf", reason };
}

function noRule(source: string, reason: string): Decision {
  return { effect: "deny", rule: "no rule", source, reason };
}

function rulesFor(rules: readonly Rule[], tool: PathTool): PathRule[] {
  return rules.flatMap((rule) => ((rule.tool === "Read" || rule.tool === "Edit") && rule.tool === tool ? [rule] : []));
}

function holds(rule: PathRule, subject: Subject): boolean {
  return compilePattern(rule.paths, subject.isFolded).covers(subject);
}

function show(path: string): string {
  return path === "" ? "the repository root" : JSON.stringify(path);
}
