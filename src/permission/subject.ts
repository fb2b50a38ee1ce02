import { fold } from "./case-fold.ts";
import type { Segments } from "./glob.ts";

/** The path a decision is about, in the forms that patterns compare; made once for all rules. */
export interface Subject {
  /** Canonical, relative to the repository root; "" is the root. Folded on a case-insensitive file system. */
  path: string;
  segments: Segments;
  /** The path and every directory above it, the root ("") included. */
  lineage: readonly string[];
  isDirectory: boolean;
  isFolded: boolean;
}

export function subjectOf(path: string, options: { isCaseInsensitive: boolean; isDirectory?: boolean }): Subject {
  const compared = options.isCaseInsensitive ? fold(path) : path;
  const names = compared === "" ? [] : compared.split("/");
  return {
    path: compared,
    segments: names.map((name) => (/[\ud800-\udfff]/.test(name) ? Array.from(name) : name)),
    lineage: ["", ...names.map((_, index) => names.slice(0, index + 1).join("/"))],
    isDirectory: options.isDirectory ?? path === "",
    isFolded: options.isCaseInsensitive,
  };
}
