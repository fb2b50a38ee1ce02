import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProgramRewrite, ProgramView } from "../../src/rewrite/program-recipe.ts";
import { applyTextEdits } from "../../src/rewrite/text-edit.ts";

/** Texts by path, as a run would show them to a recipe. */
export type Texts = Readonly<Record<string, string>>;

export function viewOf(texts: Texts, more: Partial<ProgramView> = {}): ProgramView {
  const bytes = new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));
  const paths = [...bytes.keys()].sort();
  return {
    files: paths,
    list: async () => ({ paths, isComplete: true }),
    peek: (path) => bytes.get(path),
    read: async (path) => {
      const found = bytes.get(path);
      return found ? { bytes: found, isExecutable: false } : { refused: "is not there" };
    },
    alive: () => {},
    signal: new AbortController().signal,
    ...more,
  };
}

/** The texts after a rewrite, without those that are as before; what is gone is null. Throws when it was refused. */
export function changedBy(rewrite: ProgramRewrite): Record<string, string | null> {
  if ("refused" in rewrite) throw new Error(`refused: ${rewrite.refused}`);
  const changed: Record<string, string | null> = {};
  for (const { path, bytes, edits } of rewrite.edited) {
    changed[path] = Buffer.from(applyTextEdits(bytes, edits)).toString("utf8");
  }
  if (rewrite.moved) {
    changed[rewrite.moved.from] = null;
    changed[rewrite.moved.to] = Buffer.from(rewrite.moved.bytes).toString("utf8");
  }
  return changed;
}

/** All text files below a folder, by their path in it. */
export function textsBelow(folder: string, wanted: (path: string) => boolean): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(wanted);
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}
