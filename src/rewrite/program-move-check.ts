import type { Move } from "./program-move-edits.ts";
import { quoted } from "./program-scope.ts";
import type { OpenProject } from "./program-service.ts";
import { specifiersIn } from "./program-specifiers.ts";

/** Whether every module name still leads where it did, once a file has moved. */
export interface Astray {
  /** As it is after the move. */
  path: string;
  /** UTF-16 index in the text after the move. */
  start: number;
  length: number;
  reason: string;
  /** A relative name is ours to write; another may go by a manifest or by settings. */
  isRelative: boolean;
}

/** `before` and `after` hold the same sources, but for the one that moved. */
export function astray(
  sources: readonly string[],
  move: Move,
  { before, after }: { before: readonly OpenProject[]; after: readonly OpenProject[] },
): Astray[] {
  return sources.flatMap((path) => {
    const now = path === move.from ? move.to : path;
    const old = namesOf(path, before);
    return namesOf(now, after).flatMap((name, index): Astray[] => {
      const target = old[index]?.target;
      const wanted = target === move.from ? move.to : target;
      if (wanted === undefined || wanted === name.target) return [];
      const leads = name.target === undefined ? "leads nowhere" : `leads to ${name.target}`;
      const reason = `${quoted(name.text)} ${leads}, not to ${wanted} (it was ${quoted(old[index]?.text ?? "")})`;
      return [{ path: now, start: name.start, length: name.length, reason, isRelative: name.text.startsWith(".") }];
    });
  });
}

/** The module names of a source, in order, with the files they lead to. */
function namesOf(path: string, projects: readonly OpenProject[]) {
  const project = projects.find((each) => each.source(path));
  const source = project?.source(path);
  if (!project || !source) return [];
  return specifiersIn(source).map(({ literal, text }) => {
    const start = literal.getStart(source);
    return { text, start, length: literal.end - start, target: project.resolve(source, literal) };
  });
}
