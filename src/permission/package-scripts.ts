import type { Scope } from "../protocol/scope.ts";
import { compilePattern } from "./pattern.ts";
import { subjectOf } from "./subject.ts";
import { rulesOf } from "./weigh.ts";

/**
 * The scripts of a package.json run on whoever installs or tests it, so they may not differ afterwards unless a rule
 * names the file. The rest of it is a file like any other.
 */
export function guardsScripts(scope: Scope, path: string, facts: { isCaseInsensitive: boolean }): boolean {
  if (!isPackageManifest(path)) return false;
  const subject = subjectOf(path, facts);
  const granted = scope.layers[0] ? rulesOf(scope.layers[0], "allow", "Edit") : [];
  return !granted.some((rule) => compilePattern(rule.paths, subject.isFolded).names(subject));
}

/** As disks see it that know no case, no invisible characters and no dots at the end: it is checked out elsewhere. */
function isPackageManifest(path: string): boolean {
  const name = path.slice(path.search(/[^/\\]*$/)).replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, "");
  return /^package\.json[. ]*(:.*)?$/is.test(name);
}

/** Whether two versions of it have the same scripts; undefined is no file. One that is gone runs nothing. */
export function hasSameScripts(before: Uint8Array | undefined, after: Uint8Array | undefined): boolean {
  if (after === undefined) return true;
  const now = scriptsOf(after);
  if (now === undefined) return before !== undefined && Buffer.compare(before, after) === 0;
  return now === (before === undefined ? "" : scriptsOf(before));
}

export const scriptsReason =
  'its "scripts" are protected, as they run wherever it is installed: leave them as they are; only a rule that names this very path allows more';

/** The scripts by name, in one form; "" for none, undefined where nobody can tell. */
function scriptsOf(content: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || !("scripts" in parsed)) return "";
    const { scripts } = parsed;
    if (typeof scripts !== "object" || scripts === null) return JSON.stringify(scripts);
    const entries = Object.entries(scripts).toSorted(([one], [other]) => (one < other ? -1 : 1));
    return entries.length === 0 ? "" : JSON.stringify(entries);
  } catch {
    return undefined;
  }
}
