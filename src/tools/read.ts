import { createHash } from "node:crypto";
import { z } from "zod";
import type { Asking } from "./asking.ts";
import { decodeText, readExisting } from "./existing-file.ts";
import { artifactNamed, artifactPath } from "./fit-result.ts";
import { filePath } from "./path-input.ts";
import { defineTool, failed, type ToolOutcome } from "./tool.ts";

const input = z.strictObject({
  file_path: filePath,
  view_range: z
    .tuple([z.number().int(), z.number().int()])
    .optional()
    .describe("First and last line to show, counted from 1; -1 as the last means the end of the file"),
});

export const read = defineTool({
  name: "read",
  description:
    "Reads a text file and shows it with line numbers (number, tab, line). Shows at most 2,000 lines or about " +
    "28,000 characters; use view_range [first, last] for more, where last -1 is the end of the file. A file_path " +
    "artifact:<id> that an earlier result named is read in the same way.",
  input,
  effect: "read",
  paths: ({ file_path: path }) => (artifactNamed(path) ? [] : [{ tool: "Read", path }]),
  async run({ file_path: asked, view_range }, { at: [at], files, asking }) {
    const artifact = artifactNamed(asked);
    if (artifact) return readArtifact(artifact, { view_range, asking });
    if (!at) return failed("no path was resolved");
    const file = await readExisting(at, files);
    if ("refused" in file) return failed(file.refused);
    const decoded = decodeText(file.bytes, at.canonical);
    if ("refused" in decoded) return failed(decoded.refused);
    const sha256 = createHash("sha256").update(file.bytes).digest("hex");
    return show(decoded.text, { path: at.canonical, sha256, bytes: file.bytes.length, view_range });
  },
});

async function readArtifact(
  sha256: string,
  { view_range, asking }: { view_range: [number, number] | undefined; asking: Asking },
): Promise<ToolOutcome> {
  const text = await asking.artifact(sha256);
  const path = artifactPath(sha256);
  if (text === undefined) return failed(`there is no ${path} of this run: only results of its own calls can be read`);
  return show(text, { path, sha256, bytes: Buffer.byteLength(text), view_range });
}

const mostLines = 2_000;
/** Below the cap on results, so that a page ends with a whole line and a word on how to go on. */
const mostCharacters = 28_000;

interface Source {
  path: string;
  sha256: string;
  bytes: number;
  view_range: [number, number] | undefined;
}

function show(text: string, source: Source): ToolOutcome {
  const lines = splitLines(text);
  const { path, sha256, bytes, view_range } = source;
  const range = rangeOf(view_range, lines.length);
  if (typeof range === "string")
    return failed(`view_range: ${range}; ${JSON.stringify(path)} has ${lines.length} lines`);
  const page = takePage(lines, range);
  const shown: [number, number] = [range.first, range.first + page.length - 1];
  const rest = shown[1] < range.last ? `\n[lines ${shown[0]}-${shown[1]} of ${lines.length}; ${goOn(shown[1])}]` : "";
  const content = lines.length === 0 ? "(the file is empty)" : page.join("\n") + rest;
  const logged = `read lines ${shown[0]}-${shown[1]} of ${lines.length} of ${path}`;
  const pointer = { path, sha256, bytes, ...(lines.length > 0 ? { view_range: shown } : {}) };
  return { content, logged, pointer };
}

function goOn(last: number): string {
  return `read on with view_range [${last + 1}, -1]`;
}

/** Without line ends; a newline at the end of the file begins no further line. */
function splitLines(text: string): string[] {
  if (text === "") return [];
  return text
    .replace(/^\ufeff/, "")
    .replace(/\r?\n$/, "")
    .split(/\r?\n/);
}

function rangeOf(asked: [number, number] | undefined, count: number): { first: number; last: number } | string {
  if (!asked || count === 0) return { first: 1, last: count };
  const [first, last] = asked;
  if (first < 1) return "the first line is 1";
  if (first > count) return `line ${first} is past the end`;
  if (last !== -1 && last < first) return `it ends (${last}) before it begins (${first})`;
  return { first, last: last === -1 ? count : Math.min(last, count) };
}

function takePage(lines: readonly string[], { first, last }: { first: number; last: number }): string[] {
  const page: string[] = [];
  let left = mostCharacters;
  for (let number = first; number <= last && page.length < mostLines; number++) {
    const line = `${String(number).padStart(6)}\t${lines[number - 1] ?? ""}`;
    if (line.length > left && page.length > 0) break;
    page.push(line.length > mostCharacters ? cutLine(line) : line);
    left -= line.length + 1;
  }
  return page;
}

function cutLine(line: string): string {
  const kept = line.slice(0, mostCharacters).toWellFormed();
  return `${kept} [this line is cut: ${line.length - kept.length} more characters]`;
}
