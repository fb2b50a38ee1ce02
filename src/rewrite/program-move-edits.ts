import ts from "@typescript/typescript6";
import { folderOf, type RepositoryFiles } from "./program-files.ts";
import type { OpenProject } from "./program-service.ts";
import { besides, respelled, specifiersIn } from "./program-specifiers.ts";
import { toAbsolute, toRepository } from "./program-tree.ts";
import type { Splice } from "./text-edit.ts";

/**
 * What has to change in every file when one of them moves: what the language service knows of, and the module names it
 * does not look at (mocks, `require` in TypeScript). Strings that only look like one are not touched.
 */
export interface Move {
  from: string;
  to: string;
}

/** Splices by the path a file has before the move; sorted and apart. */
export type MoveEdits = ReadonlyMap<string, readonly Splice[]>;

export async function moveEdits(
  move: Move,
  sources: readonly string[],
  { projects, files }: { projects: readonly OpenProject[]; files: RepositoryFiles },
): Promise<MoveEdits> {
  const edits = new Map<string, Splice[]>();
  for (const path of sources) {
    const project = projects.find((each) => each.source(path));
    if (!project) continue;
    for (const splice of ownEdits(path, move, { project, files })) add(edits, path, splice);
  }
  for (const project of projects) {
    await files.breathe();
    for (const { path, splice } of serviceEdits(move, project)) add(edits, path, splice);
  }
  for (const splices of edits.values()) splices.sort((one, other) => one.start - other.start);
  return edits;
}

/** What was said first of a stretch of text holds: by the project that is nearest to the file. */
function add(edits: Map<string, Splice[]>, path: string, splice: Splice): void {
  const own = edits.get(path) ?? [];
  edits.set(path, own);
  if (own.some((known) => splice.start < known.end && known.start < splice.end)) return;
  const isSameInsert = own.some((known) => known.start === splice.start && known.end === splice.end);
  if (!isSameInsert) own.push(splice);
}

function serviceEdits({ from, to }: Move, project: OpenProject): { path: string; splice: Splice }[] {
  const format = ts.getDefaultFormatCodeSettings("\n");
  const changes = project.service.getEditsForFileRename(toAbsolute(from), toAbsolute(to), format, {});
  return changes.flatMap(({ fileName, textChanges }) => {
    const path = toRepository(fileName);
    const text = project.text(fileName);
    if (path === undefined || text === undefined) return [];
    return textChanges.flatMap(({ span, newText }) => {
      const end = span.start + span.length;
      const written = likeBefore(path, text.slice(span.start, end), newText);
      return written === undefined ? [] : [{ path, splice: { start: span.start, end, text: written } }];
    });
  });
}

/**
 * Settings keep their leading `./`, without which `paths` are refused. A package or an alias that was asked for by name
 * is not turned into a path through another package's folders: its manifest is what has to change.
 */
function likeBefore(path: string, old: string, made: string): string | undefined {
  if (path.endsWith(".json")) return old.startsWith("./") && /^[^."/]/.test(made) ? `./${made}` : made;
  return old !== "" && !old.startsWith(".") && made.startsWith(".") ? undefined : made;
}

/**
 * Every relative module name that leads to the moved file, or out of it, in the manner it is written. The language
 * service would choose endings anew, and passes over mocks, augmentations, and `require` in TypeScript.
 */
function ownEdits(
  path: string,
  { from, to }: Move,
  { project, files }: { project: OpenProject; files: RepositoryFiles },
): Splice[] {
  const source = project.source(path);
  if (!source) return [];
  const place = path === from ? to : path;
  return specifiersIn(source).flatMap(({ literal, text }) => {
    const target = /^\.{1,2}(?:\/|$)/.test(text)
      ? (project.resolve(source, literal) ?? beside(path, text, files))
      : undefined;
    if (target === undefined || (target !== from && path !== from)) return [];
    const after = target === from ? to : target;
    const written = respelled(text, { before: target, after, folder: folderOf(place) });
    return written === text ? [] : [{ start: literal.getStart(source) + 1, end: literal.end - 1, text: written }];
  });
}

/** A file that is no module, such as data that is read by its URL. */
function beside(path: string, text: string, files: RepositoryFiles): string | undefined {
  const found = besides(path, text);
  return found !== undefined && files.has(found) ? found : undefined;
}
