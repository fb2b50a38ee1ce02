import { z } from "zod";
import { leftover } from "./claim.ts";
import { failure } from "./failure.ts";
import { language } from "./language.ts";

/** Searching the files that a run sees: what its thread asks, what crosses to a thread that only looks, and the answer. */

/** Lines that a regular expression matches, as far as they are asked for. */
export const textQuery = z.object({
  kind: z.literal("text"),
  /** JavaScript. */
  pattern: z.string(),
  is_case_insensitive: z.boolean(),
  /** A match may go over lines, and `.` may be a newline. */
  is_multiline: z.boolean(),
  /** `content`: the lines themselves; `files`: paths; `count`: paths, each with its number of matching lines. */
  mode: z.enum(["content", "files", "count"]),
  /** Lines of context. */
  before: z.number().int().min(0),
  after: z.number().int().min(0),
  has_numbers: z.boolean(),
  /** Lines of the answer to pass over, and the most to give. */
  offset: z.number().int().min(0),
  limit: z.number().int().min(1),
});
export type TextQuery = z.infer<typeof textQuery>;

/** What an ast-grep pattern and its fix would do. */
export const rewriteQuery = z.object({ kind: z.literal("rewrite"), pattern: z.string(), fix: z.string(), language });
export type RewriteQuery = z.infer<typeof rewriteQuery>;

export const searchQuery = z.discriminatedUnion("kind", [textQuery, rewriteQuery]);
export type SearchQuery = z.infer<typeof searchQuery>;

export const searchOrder = z.object({
  query: searchQuery,
  /** The workspace: what stands there at a path is the file. */
  root: z.string(),
  is_case_insensitive: z.boolean(),
  /** Canonical, with a NUL between any two. */
  paths: z.string(),
  /** Files that hold base files one behind the other. */
  blobs: z.array(z.string()),
  /** Three numbers a path: which of `blobs`, the first byte, how many; -1 for one that is in none of them: `-1 -1 1` is too large. */
  places: z.instanceof(Float64Array),
  /** One Int32: the index of the path that is looked at. */
  progress: z.instanceof(SharedArrayBuffer),
});
export type SearchOrder = z.infer<typeof searchOrder>;

/** What would become of one file; offsets are bytes of the content that has this sha256. */
export const fileRewrite = z.object({
  path: z.string(),
  sha256: z.string(),
  edits: z.array(z.object({ start: z.number().int(), end: z.number().int(), text: z.string() })),
});
export type FileRewrite = z.infer<typeof fileRewrite>;

export const searchReport = z.object({
  /** Files whose text was looked at. */
  looked: z.number().int(),
  /** Files that hold a NUL byte. */
  binary: z.number().int(),
  /** Others that were not looked at, the first of them with the reason. */
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
  skipped_count: z.number().int(),
  /** Of a text query: what it answers, line by line; `next_offset` where there is more. */
  lines: z.array(z.string()),
  next_offset: z.number().int().optional(),
  /** Of a rewrite. */
  rewrites: z.array(fileRewrite),
  leftovers: z.array(leftover),
  leftover_count: z.number().int(),
  /** Files it did not come to, since its time or its measure was full. */
  unlooked: z.number().int(),
  /** Why nobody can look for it: a mistake of whoever wrote the query. */
  mistake: failure.optional(),
});
export type SearchReport = z.infer<typeof searchReport>;

export const nothingSearched: SearchReport = {
  looked: 0,
  binary: 0,
  skipped: [],
  skipped_count: 0,
  lines: [],
  rewrites: [],
  leftovers: [],
  leftover_count: 0,
  unlooked: 0,
};
