import { compilePattern } from "../../permission/pattern.ts";
import { subjectOf } from "../../permission/subject.ts";
import type { PathPattern } from "../../protocol/scope.ts";

/** Whether one of the patterns covers a path; all paths where no patterns are given. */
export function pathCover(
  patterns: readonly PathPattern[] | undefined,
  { isCaseInsensitive }: { isCaseInsensitive: boolean },
): (path: string) => boolean {
  if (patterns === undefined) return () => true;
  const compiled = patterns.map((pattern) => compilePattern(pattern, isCaseInsensitive));
  return (path) => {
    const subject = subjectOf(path, { isCaseInsensitive });
    return compiled.some((pattern) => pattern.covers(subject));
  };
}
