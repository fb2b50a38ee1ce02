import { Buffer } from "node:buffer";
import type { RepositoryFiles } from "./program-files.ts";
import type { EditedFile } from "./program-recipe.ts";
import { keyOf, type Place } from "./program-references.ts";
import { applyTextEdits, type Splice, toTextEdits } from "./text-edit.ts";

/** Places as edits of bytes, and where the names stand once they are made. Pure. */
export interface Renaming {
  edited: EditedFile[];
  /** Keys of the names in the edited files. */
  after: ReadonlySet<string>;
  /** The edited bytes by path. */
  contents: ReadonlyMap<string, Uint8Array>;
  /** Where an index of the old text is in the new one; never inside a name that changed. */
  moved(path: string, index: number): number;
}

export function renamingOf(places: Iterable<Place>, to: string, files: RepositoryFiles): Renaming {
  const byPath = Map.groupBy([...places], ({ path }) => path);
  const edited: EditedFile[] = [];
  const after = new Set<string>();
  const shifts = new Map<string, { start: number; delta: number }[]>();
  for (const [path, unsorted] of [...byPath].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const own = unsorted.filter((each) => !each.isInside).toSorted((one, other) => one.start - other.start);
    let delta = 0;
    const steps: { start: number; delta: number }[] = [];
    for (const { start, length, prefix, suffix, isNamedSo } of own) {
      after.add(keyOf({ path, start: start + delta + prefix.length }));
      if (!isNamedSo) delta += prefix.length + to.length + suffix.length - length;
      steps.push({ start, delta });
    }
    shifts.set(path, steps);
    const splices = own.flatMap(({ start, length, prefix, suffix, isNamedSo }) =>
      isNamedSo ? [] : [{ start, end: start + length, text: prefix + to + suffix }],
    );
    if (splices.length > 0) edited.push(editedFile(path, splices, files));
  }
  const contents = new Map(edited.map(({ path, bytes, edits }) => [path, applyTextEdits(bytes, edits)]));
  const moved = (path: string, index: number) =>
    index + (shifts.get(path)?.findLast((each) => each.start < index)?.delta ?? 0);
  return { edited, after, contents, moved };
}

/** Splices of one file, sorted and apart, with the bytes they are about. */
export function editedFile(path: string, splices: readonly Splice[], files: RepositoryFiles): EditedFile {
  const bytes = files.bytes(path) ?? new Uint8Array();
  const text = Buffer.from(bytes).toString("utf8");
  return { path, bytes, edits: toTextEdits({ text, isAscii: text.length === bytes.length }, splices) };
}
