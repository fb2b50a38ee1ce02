import type { Leftover } from "../protocol/claim.ts";
import type { SourceFile } from "./compiled-recipe.ts";
import type { TextEdit } from "./text-edit.ts";

/**
 * A recipe that has to see a program as a whole, and so answers once for all files. It never reads a disk and never
 * changes half of what belongs together: what it cannot change completely it refuses.
 */
export interface ProgramRecipe {
  name: "rename-symbol" | "move-file" | "require-to-import";
  /** Whether it wants to see a file of this name: sources, and texts that may speak of what it changes. */
  covers(path: string): boolean;
  /** Loads the TypeScript language service. Throws the signal's reason when aborted. */
  plan(view: ProgramView): Promise<ProgramRewrite>;
}

/** The repository as the run's scope shows it. Paths are relative to its root, with `/` between their parts. */
export interface ProgramView {
  /** The files the task is about. */
  files: readonly string[];
  /** Every file that may be read, sorted; `isComplete` is false when there were too many to name. */
  list(): Promise<{ paths: readonly string[]; isComplete: boolean }>;
  /** The bytes where they are at hand already, without waiting; undefined says nothing about the file. */
  peek(path: string): Uint8Array | undefined;
  read(path: string): Promise<{ bytes: Uint8Array; isExecutable: boolean } | { refused: string }>;
  /** Tells that a long piece of work goes on. */
  alive(): void;
  signal: AbortSignal;
}

/** `edits` are sorted and never overlap. */
export interface EditedFile extends SourceFile {
  edits: TextEdit[];
}

/** A file that leaves one path and appears at another, with its new bytes. */
export interface MovedFile {
  from: string;
  to: string;
  bytes: Uint8Array;
  isExecutable: boolean;
}

/** All that is to be done, or why nothing is. */
export type ProgramRewrite =
  | { edited: EditedFile[]; moved?: MovedFile; leftovers: Leftover[] }
  | { refused: string; leftovers?: Leftover[] };
