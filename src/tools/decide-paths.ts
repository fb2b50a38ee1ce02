import { type Contained, type Escape, isEscape } from "../files/contain.ts";
import { decideBoth, mayHoldAllowed } from "../permission/decide.ts";
import type { Decision, Scope } from "../protocol/scope.ts";
import type { Asked, Tool } from "./tool.ts";

/** A decision about a call, and the path it is about: the first that is denied, or the only one. */
export interface Judgement {
  decision: Decision;
  subject: string;
  /** Of a question: every path that it is about. Of a denial: the path that is denied, where it leads anywhere. */
  asked?: readonly AskedPath[];
}

export interface AskedPath extends Asked {
  /** Where it leads, through those links. */
  canonical: string;
  viaLinks: readonly string[];
  isDirectory: boolean;
}

/** Pure: the same for both sides of a run. `resolved` answers `asked` in order; a deny of any path decides, then an ask. */
export function decidePaths(
  asked: readonly Asked[],
  resolved: readonly (Contained | Escape)[],
  { tool, scope, isCaseInsensitive }: { tool: Tool; scope: Scope; isCaseInsensitive: boolean },
): Judgement {
  let question: Judgement | undefined;
  const questions: AskedPath[] = [];
  let allowed: Judgement = {
    decision: nothingAsked,
    subject: asked
      .map(({ path }) => path)
      .join(", ")
      .slice(0, 200),
  };
  for (const [index, each] of asked.entries()) {
    const at = resolved[index];
    const decision = at ? decideOne(each, at, { tool, scope, isCaseInsensitive }) : unresolved;
    const about = leadingTo(each, at);
    if (decision.effect === "deny") return { decision, subject: each.path, asked: about };
    if (decision.effect === "ask") {
      question ??= { decision, subject: each.path, asked: questions };
      questions.push(...about);
    }
    if (index === 0) allowed = { ...allowed, decision };
  }
  return question ?? allowed;
}

function leadingTo(asked: Asked, at: Contained | Escape | undefined): AskedPath[] {
  return at && !isEscape(at) ? [{ ...asked, ...at, isDirectory: at.kind === "directory" }] : [];
}

function decideOne(
  asked: Asked,
  at: Contained | Escape,
  { tool, scope, isCaseInsensitive }: { tool: Tool; scope: Scope; isCaseInsensitive: boolean },
): Decision {
  if (isEscape(at)) return { effect: "deny", rule: at.escape, source: "sheaf", reason: at.reason };
  const facts = { isCaseInsensitive, isDirectory: at.kind === "directory" };
  const decision = decideBoth(scope, asked.tool, [...at.viaLinks, at.canonical], facts);
  const isUncovered = decision.effect !== "allow" && decision.rule === "no rule";
  const isBrowsed = tool.isBrowsing && at.kind !== "file";
  if (!isUncovered || !isBrowsed || !mayHoldAllowed(scope, asked.tool, at.canonical, facts)) return decision;
  return { effect: "allow", rule: "browse", source: "sheaf", reason: "only names that may be read are shown" };
}

const nothingAsked: Decision = { effect: "allow", rule: "no path", source: "sheaf", reason: "it touches no file" };
const unresolved: Decision = { effect: "deny", rule: "outside", source: "sheaf", reason: "its path was not resolved" };
