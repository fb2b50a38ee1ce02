import { compileGlob, covers, type Glob, matches } from "../permission/glob.ts";
import { subjectOf } from "../permission/subject.ts";
import { leadingFolder } from "./file-index.ts";

/**
 * CODEOWNERS as GitHub reads it, and with sections as GitLab does. The last pattern that matches wins, in each section
 * by itself; of several sections the first that gives a file to somebody counts. Of several owners on one line the first
 * is told: a file has one task. Lines that GitHub passes over (`!`, `[ ]`) are passed over.
 */
export function readCodeowners({ path, text }: { path: string; text: string }): (path: string) => string | undefined {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const isGitLab = path.startsWith(".gitlab/") || lines.some((line) => header.test(line));
  const sections = [...readSections(lines, isGitLab).values()].map((section) => lookup(section.entries));
  return (file) => {
    for (const lastFor of sections) {
      const last = lastFor(file);
      if (last?.owner !== undefined) return last.owner;
    }
    return undefined;
  };
}

/** The last entry that matches. Thousands of lines meet a hundred thousand files, so only lines about its folders are asked. */
function lookup(entries: readonly Entry[]): (file: string) => Entry | undefined {
  const byFolder = Map.groupBy(
    entries.map((entry, at) => ({ ...entry, at })),
    (entry) => entry.folder,
  );
  return (file) => {
    const { segments, lineage } = subjectOf(file, { isCaseInsensitive: false });
    let last: (Entry & { at: number }) | undefined;
    for (const folder of lineage) {
      const found = byFolder.get(folder)?.findLast((entry) => entry.at > (last?.at ?? -1) && entry.test(segments));
      last = found ?? last;
    }
    return last;
  };
}

/** `[Name]`, `^[Optional]`, `[Name][2] @default`. */
const header = /^\^?\[([^\]]+)\](?:\[\d+\])?\s*(.*)$/;

interface Section {
  owner: string | undefined;
  entries: Entry[];
}
type Segments = Parameters<typeof matches>[1];
interface Entry {
  /** All that it matches is this path, or below it. */
  folder: string;
  test(segments: Segments): boolean;
  owner: string | undefined;
}

function readSections(lines: readonly string[], isGitLab: boolean): ReadonlyMap<string, Section> {
  let open: Section = { owner: undefined, entries: [] };
  const sections = new Map([["", open]]);
  for (const line of lines) {
    const begun = isGitLab ? header.exec(line.trim()) : null;
    if (!begun) {
      open.entries.push(...entryOf(line, open, isGitLab));
      continue;
    }
    const name = (begun[1] ?? "").toLowerCase();
    const [owner] = ownersIn(begun[2] ?? "");
    open = { owner, entries: sections.get(name)?.entries ?? [] };
    sections.set(name, open);
  }
  return sections;
}

function entryOf(line: string, section: Section, isGitLab: boolean): Entry[] {
  const [, pattern = "", rest = ""] = /^\s*((?:\\.|[^\s\\])+)(.*)$/.exec(line) ?? [];
  if (pattern === "" || pattern.startsWith("#")) return [];
  const isExclusion = isGitLab && pattern.startsWith("!");
  const meant = isExclusion ? pattern.slice(1) : pattern;
  const test = testOf(meant, isGitLab);
  if (!test) return [];
  const [first] = ownersIn(rest);
  return [{ folder: leadingFolder(meant), test, owner: isExclusion ? undefined : (first ?? section.owner) }];
}

function ownersIn(text: string): string[] {
  const words = text.replace(/(^|\s)#.*$/, "").split(/\s+/);
  return words.filter((word) => word.includes("@"));
}

/** Undefined for a pattern that matches nothing there. */
function testOf(pattern: string, isGitLab: boolean): Entry["test"] | undefined {
  if (!isGitLab && (pattern.startsWith("!") || /(?<!\\)\[/.test(pattern))) return undefined;
  const glob = globOf(pattern);
  if (!glob) return undefined;
  // Unlike in .gitignore, a star at the end is one name: `docs/*` is about the files right in it.
  if (/\/\*$/.test(pattern)) return (segments) => matches(glob, segments);
  return (segments) => covers(glob, segments, false);
}

function globOf(pattern: string): Glob | undefined {
  try {
    return compileGlob(pattern === "/" ? "/**" : pattern, false);
  } catch {
    return undefined;
  }
}
