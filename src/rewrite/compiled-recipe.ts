import type { Leftover } from "../protocol/claim.ts";
import type { TextEdit } from "./text-edit.ts";

/** A file as it is on disk. `path` is relative to the repository, with `/` between its parts. */
export interface SourceFile {
  path: string;
  bytes: Uint8Array;
}

/**
 * What a recipe would do to one file. `edits` are sorted and never overlap.
 * `skipped` is set when the file was not looked at, with the reason in words; then the other two are empty.
 */
export interface FileRewrite {
  edits: TextEdit[];
  leftovers: Leftover[];
  skipped?: string;
}

/** A recipe, checked and ready. It keeps nothing between files, so it may be used for any number of them. */
export interface CompiledRecipe {
  /** `node-protocol`, `replace-call`, or the name of the rule file. */
  name: string;
  /** Whether the recipe has a grammar (and, for rules, the `files` and `ignores`) for this path. */
  covers(path: string): boolean;
  /** Loads what only a rewrite needs, such as a parser; if it is there, await it once before the first rewrite. */
  prepare?(): Promise<void>;
  /**
   * Pure: the same bytes give the same answer. Never throws for what a file may hold.
   * The parser's trees are freed only when the event loop turns: let it, every few files, or memory grows by
   * some 20 bytes for each byte parsed.
   */
  rewrite(file: SourceFile): FileRewrite;
}
