import type { Leftover } from "../protocol/claim.ts";
import type { FileRewrite } from "./compiled-recipe.ts";
import { leftoverAt, type Place } from "./place.ts";
import type { SourceText } from "./source-text.ts";
import { besideErrorReason, type ErrorZone, isBesideError, syntaxErrorLeftover } from "./syntax-error.ts";
import { type Splice, toTextEdits } from "./text-edit.ts";

/** A match and its replacement, in UTF-16 units. `label` says whose it is when several rules run together. */
export interface Match extends Splice {
  /** The matched node itself; a rule may replace more than that. */
  node: { start: number; end: number; place: Place };
  label: string;
  /** Why it must stay as it is, if it must. */
  refused?: string;
}

/**
 * Of matches in the order a reader meets them (outer before inner), keeps each that does not overlap one kept
 * before; the rest become leftovers, as does what lies beside a syntax error.
 */
export function selectMatches(source: SourceText, matches: readonly Match[], zones: readonly ErrorZone[]): FileRewrite {
  const kept: Match[] = [];
  const leftovers: Leftover[] = syntaxErrorLeftover(source, zones);
  for (const match of matches) {
    const reason = match.refused ?? reasonToLeave(source, match, kept.at(-1), zones);
    if (reason) leftovers.push(leftoverAt(source, match.node, reason));
    else kept.push(match);
  }
  const changes = kept.filter((match) => source.text.slice(match.start, match.end) !== match.text);
  return { edits: toTextEdits(source, changes), leftovers };
}

function reasonToLeave(
  source: SourceText,
  match: Match,
  before: Match | undefined,
  zones: readonly ErrorZone[],
): string | undefined {
  const start = Math.min(match.start, match.node.start);
  const end = Math.max(match.end, match.node.end);
  if (isBesideError(zones, source.text, start, end)) return besideErrorReason;
  if (!before || match.start >= before.end) return undefined;
  return before.label === match.label
    ? "inside another match; run again"
    : `overlaps a change of ${before.label}; run again`;
}
