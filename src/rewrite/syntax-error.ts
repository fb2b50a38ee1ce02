import type { SgNode } from "@ast-grep/napi";
import type { Leftover } from "../protocol/claim.ts";
import { leftoverAt, type Place } from "./place.ts";
import type { SourceText } from "./source-text.ts";

/**
 * The parser guesses its way past what it cannot read, and near such a place its guesses are not trusted:
 * a match that holds, lies in or touches an unreadable stretch is reported, never rewritten.
 */
export interface ErrorZone {
  start: number;
  end: number;
  place: Place;
}

/** The stretches the grammar could not read, in order of their start. */
export function errorZonesOf(root: SgNode): ErrorZone[] {
  return root.findAll({ rule: { kind: "ERROR" } }).map(zoneOf);
}

export function zoneOf(node: SgNode): ErrorZone {
  const { start, end } = node.range();
  return { start: start.index, end: end.index, place: start };
}

export const besideErrorReason = "next to a syntax error, so what it means is not certain";

/** Whether `start`-`end` overlaps a zone or has only white space between itself and one. */
export function isBesideError(zones: readonly ErrorZone[], text: string, start: number, end: number): boolean {
  return zones.some((zone) => {
    if (zone.start < end && start < zone.end) return true;
    const gap = zone.start >= end ? text.slice(end, zone.start) : text.slice(zone.end, start);
    return gap.length < 1_000 && /^\s*$/.test(gap);
  });
}

/** One leftover that names the first unreadable stretch, or none. */
export function syntaxErrorLeftover(source: SourceText, zones: readonly ErrorZone[]): Leftover[] {
  const [first] = zones;
  if (!first) return [];
  const more = zones.length > 1 ? ` (the first of ${zones.length})` : "";
  return [
    leftoverAt(source, first, `syntax error in the ${source.language} grammar${more}; matches here may be missed`),
  ];
}
