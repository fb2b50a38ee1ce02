import ts from "@typescript/typescript6";
import { isInstalled, type RepositoryFiles } from "./program-files.ts";
import type { Mention } from "./program-leftovers.ts";
import type { Move, MoveEdits } from "./program-move-edits.ts";
import { isSource } from "./program-scope.ts";
import { besides, normalized, withoutEnding } from "./program-specifiers.ts";

/**
 * Where texts speak of a file that moves and nothing rewrites them: manifests, settings, documents, strings of sources.
 * And where the file itself asks where it lies.
 */
export async function pathMentions(
  move: Move,
  edits: MoveEdits,
  { paths, files }: { paths: readonly string[]; files: RepositoryFiles },
): Promise<Mention[]> {
  const stem = withoutEnding(move.from.slice(move.from.lastIndexOf("/") + 1));
  const mentions = placesOfItself(move, files);
  for (const [index, path] of paths.entries()) {
    if (index % filesPerBreath === 0) await files.breathe();
    const isAsked = !isInstalled(path) && Buffer.from(files.bytes(path) ?? []).includes(stem);
    if (isAsked)
      mentions.push(...mentionsIn(path, move, { text: files.text(path) ?? "", edits: edits.get(path) ?? [] }));
  }
  return mentions;
}

const filesPerBreath = 100;

function mentionsIn(
  path: string,
  move: Move,
  { text, edits }: { text: string; edits: readonly { start: number; end: number }[] },
): Mention[] {
  const stem = withoutEnding(move.from.slice(move.from.lastIndexOf("/") + 1));
  return [...text.matchAll(pathLike)].flatMap(({ 0: written, index }): Mention[] => {
    // At the end of a sentence stands a full stop.
    const found = written.replace(/\.+$/, "");
    const isEdited = edits.some(({ start, end }) => start < index + found.length && index < end);
    if (isEdited || !found.includes(stem) || !found.includes("/")) return [];
    const reason = leadsTo(path, found, move.from);
    const now = path === move.from ? move.to : path;
    return reason === undefined ? [] : [{ path: now, start: index, length: found.length, reason }];
  });
}

/** What may be a path in any kind of text. */
const pathLike = /[\w@~$][\w@~$+.-]*(?:\/[\w@~$+.-]+)+|\.{1,2}(?:\/[\w@~$+.-]+)+|\/[\w@~$+.-]+(?:\/[\w@~$+.-]+)*/g;

function leadsTo(path: string, text: string, from: string): string | undefined {
  const wanted = withoutEnding(from);
  const leads = (at: string | undefined) => at !== undefined && (at === from || withoutEnding(at) === wanted);
  const isHere = leads(besides(path, text)) || leads(normalized(text.replace(/^\//, "")));
  if (isHere) return isSource(path) ? "a string or a comment that leads to the file" : "leads to the file";
  const isManifest = /(?:^|\/)package\.json$/.test(path);
  return isManifest && leads(builtFrom(path, text, from)) ? "may be what is built of the file" : undefined;
}

/** `dist/a.js` beside a manifest, as the source `src/a.ts` that it may come from. */
function builtFrom(manifest: string, target: string, from: string): string | undefined {
  const steps = target.replace(/^\.\//, "").split("/").slice(1).join("/");
  const sources = [`src/${steps}`, `lib/${steps}`, steps].map((each) => besides(manifest, each));
  return sources.find((each) => each !== undefined && withoutEnding(each) === withoutEnding(from));
}

const ownPlace = /\b(?:__dirname|__filename|import\.meta\.(?:url|dirname|filename))\b/g;

/** Read as text: what is quoted or commented out is a person's to look at as well. */
function placesOfItself({ from, to }: Move, files: RepositoryFiles): Mention[] {
  if (!isSource(from)) return [];
  const text = files.text(from) ?? "";
  const source = ts.createSourceFile(from, text, ts.ScriptTarget.ESNext, false);
  return [...source.text.matchAll(ownPlace)].map(({ 0: found, index }) => ({
    path: to,
    start: index,
    length: found.length,
    reason: "it asks where it lies, and lies elsewhere now",
  }));
}
