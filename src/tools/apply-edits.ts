import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { z } from "zod";
import { type Contained, isEscape } from "../files/contain.ts";
import type { ChangedFile } from "../protocol/run-fact.ts";
import type { FileRewrite } from "../protocol/search.ts";
import { applyTextEdits, type TextEdit } from "../rewrite/text-edit.ts";
import { changedFile } from "./blob-id.ts";
import { readExisting } from "./existing-file.ts";
import { filePath, wellFormedText } from "./path-input.ts";
import { defineTool, failed, type RunContext } from "./tool.ts";

const textEdit = z.strictObject({
  start: z.number().int().min(0).describe("First byte to replace, counted from 0"),
  end: z.number().int().min(0).describe("First byte to keep after it"),
  text: wellFormedText,
});

const fileEdits = z.strictObject({
  file_path: filePath,
  expect_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: "must be 64 lower-case hexadecimal digits" })
    .describe("SHA-256 of the file's bytes that the offsets are about"),
  edits: z.array(textEdit),
});

export const applyEdits = defineTool({
  name: "apply_edits",
  description:
    "Changes many files at once by byte ranges, all of them or none. Each file names the SHA-256 of the content that " +
    "its offsets are about; edits of a file must not overlap.",
  input: z.strictObject({ files: z.array(fileEdits).min(1) }),
  effect: "edit",
  paths: ({ files }) => files.map(({ file_path: path }) => ({ tool: "Edit", path })),
  async run({ files }, context) {
    const written = await writePlanned(files, context.at, context);
    if ("refused" in written) return failed(written.refused);
    const { changed } = written;
    const edits = files.reduce((sum, file) => sum + file.edits.length, 0);
    return { content: `${count(edits, "edit")} in ${count(files.length, "file")}`, changed };
  },
});

/** The same for files that were found while a tool ran: their paths are canonical, and have been decided. */
export async function writeEdits(
  rewrites: readonly FileRewrite[],
  context: RunContext,
): Promise<{ changed: ChangedFile[] } | { refused: string }> {
  const resolved = await context.files.resolveAll(rewrites.map(({ path }) => path));
  const at = resolved.map((each, index) => {
    const isThere = !isEscape(each) && each.kind === "file" && each.canonical === rewrites[index]?.path;
    return isThere ? each : undefined;
  });
  const asked = rewrites.map(({ path, sha256, edits }) => ({ file_path: path, expect_sha256: sha256, edits }));
  return writePlanned(asked, at, context);
}

async function writePlanned(
  files: readonly FileEdits[],
  at: readonly (Contained | undefined)[],
  context: RunContext,
): Promise<{ changed: ChangedFile[] } | { refused: string }> {
  const planned = await Promise.all(files.map((asked, index) => plan(asked, at[index], context)));
  const problems = planned.flatMap((each) => ("problem" in each ? [each.problem] : []));
  if (problems.length > 0) return { refused: describeProblems(problems, files.length) };
  const writes = planned.flatMap((each) => ("problem" in each ? [] : [each]));
  const outcome = await context.files.writeAll(writes);
  if ("refused" in outcome) return { refused: `nothing was changed: ${outcome.refused}` };
  return {
    changed: outcome.written.map((written, index) =>
      changedFile(written, writes[index]?.content ?? new Uint8Array(), context.objectFormat),
    ),
  };
}

type FileEdits = z.infer<typeof fileEdits>;
type Planned = { path: string; content: Uint8Array } | { problem: string };

async function plan(asked: FileEdits, at: Contained | undefined, { files }: RunContext): Promise<Planned> {
  if (!at) return { problem: `${asked.file_path}: no path was resolved` };
  const file = await readExisting(at, files);
  if ("refused" in file) return { problem: file.refused };
  const found = createHash("sha256").update(file.bytes).digest("hex");
  if (found !== asked.expect_sha256) {
    return { problem: `${at.canonical} is not the content that was expected (its SHA-256 is ${found}): read it again` };
  }
  const edited = splice(file.bytes, asked.edits);
  if ("refused" in edited) return { problem: `${at.canonical}: ${edited.refused}` };
  return { path: at.canonical, content: edited.bytes };
}

/** Pure: the bytes with the edits in them. Insertions at one place keep the order they came in. */
export function splice(bytes: Uint8Array, edits: readonly TextEdit[]): { bytes: Uint8Array } | { refused: string } {
  const refused = findBadRange(bytes, edits);
  return refused === undefined ? { bytes: applyTextEdits(bytes, edits) } : { refused };
}

function findBadRange(bytes: Uint8Array, edits: readonly TextEdit[]): string | undefined {
  const sorted = edits.toSorted((one, other) => one.start - other.start || one.end - other.end);
  const isText = isUtf8(bytes);
  let reached = 0;
  for (const { start, end } of sorted) {
    const shown = `the edit of bytes ${start} to ${end}`;
    if (end < start) return `${shown} ends before it begins`;
    if (end > bytes.length) return `${shown} reaches past the end of the file (${bytes.length} bytes)`;
    if (start < reached) return `${shown} overlaps the one before it`;
    if (isText && (isInside(bytes, start) || isInside(bytes, end))) return `${shown} cuts a character in two`;
    reached = end;
  }
  return undefined;
}

/** A UTF-8 continuation byte. */
function isInside(bytes: Uint8Array, offset: number): boolean {
  return ((bytes[offset] ?? 0) & 0xc0) === 0x80;
}

function describeProblems(problems: readonly string[], files: number): string {
  const shown = problems.slice(0, 10).map((problem) => `- ${problem}`);
  const more = problems.length - shown.length;
  const tail = more > 0 ? [`- and ${more} more`] : [];
  return [
    `nothing was changed: ${problems.length} of ${count(files, "file")} cannot be edited`,
    ...shown,
    ...tail,
  ].join("\n");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
