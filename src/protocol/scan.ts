import { z } from "zod";
import { failure } from "./failure.ts";

/** Looking for text in many files: what crosses to a thread and comes back. All places count from 1. */

/** What is looked for; all that is given must be in a file. */
export const scanQuery = z.object({
  /** JavaScript, flags `mu`. */
  regex: z.string().optional(),
  /** An ast-grep pattern, in the language each file's name says. */
  pattern: z.string().optional(),
  /** Only files of this language. */
  language: z.string().optional(),
  /** A file whose name says no language counts as one of `language`. */
  takes_unnamed: z.boolean().optional(),
  /** Most places told of one file. 0 asks only whether there is one, and then `count` is 1. */
  places: z.number().int().min(0),
});
export type ScanQuery = z.infer<typeof scanQuery>;

export const scanOrder = z.object({
  query: scanQuery,
  /** In the form of `git cat-file --batch`, in this order. */
  bundle: z.object({ file: z.string(), entries: z.array(z.object({ path: z.string(), is_executable: z.boolean() })) }),
  /** One Int32: the thread writes the index of each file before it looks at it, so that an endless look is known. */
  progress: z.instanceof(SharedArrayBuffer),
});
export type ScanOrder = z.infer<typeof scanOrder>;

export const foundText = z.object({
  path: z.string(),
  count: z.number().int().min(1),
  /** The first of them; `text` is the line it begins on, cut where it is long. */
  places: z.array(z.object({ line: z.number().int(), column: z.number().int(), text: z.string() })),
});
export type FoundText = z.infer<typeof foundText>;

export const scanReport = z.object({
  /** Files whose text was looked at. */
  looked: z.number().int(),
  found: z.array(foundText),
  /** Files that were not looked at. `binary` files hold a NUL byte: no text could be in them. */
  skipped: z.array(z.object({ path: z.string(), reason: z.string(), is_binary: z.boolean() })),
  /** Why nobody can look for it: a mistake of whoever wrote the query. */
  mistake: failure.optional(),
});
export type ScanReport = z.infer<typeof scanReport>;
