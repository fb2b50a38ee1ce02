import { Fault } from "../protocol/failure.ts";
import { type RawPath, rawOf } from "./raw-path.ts";
import type { Repository } from "./repository.ts";

/** What is between two trees, read from git's raw formats. No rename is ever guessed: a path is what it is. */
export interface Version {
  /** `100644`, `100755`, `120000` or `160000`. */
  mode: string;
  oid: string;
}

export interface Change {
  path: RawPath;
  /** null: it was not there. */
  before: Version | null;
  /** null: it is deleted. */
  after: Version | null;
}

export interface Stats {
  files: number;
  /** Lines; a binary file counts as a file only. */
  insertions: number;
  deletions: number;
}

/** One patch that `git apply` takes, whole ids and binary contents inside. `from` and `to` are trees or commits. */
export async function patchOf(repository: Repository, from: string, to: string): Promise<Buffer> {
  const { stdout } = await repository.git(["diff-tree", ...patchFormat, from, to], { gitDir: repository.gitDir });
  return stdout;
}

const plain = ["-r", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none"];
const patchFormat = [
  ...plain,
  "--patch",
  "--binary",
  "--full-index",
  "--no-color",
  "--unified=3",
  "--diff-algorithm=myers",
  "--src-prefix=a/",
  "--dst-prefix=b/",
];

/** The changed paths, in git's order. */
export async function changesOf(repository: Repository, from: string, to: string): Promise<Change[]> {
  const args = ["diff-tree", ...plain, "--raw", "-z", "--no-abbrev", from, to];
  const { stdout } = await repository.git(args, { gitDir: repository.gitDir });
  return parseRaw(stdout.toString("latin1"), 0).changes;
}

export async function statsOf(repository: Repository, from: string, to: string): Promise<Stats> {
  const [stats = noStats] = await statsOfMany(repository, [{ from, to }]);
  return stats;
}

/** The line counts of many pairs, by one `git diff-tree`; the answers are in the order of the pairs. */
export async function statsOfMany(repository: Repository, pairs: readonly Pair[]): Promise<Stats[]> {
  const answers: Stats[] = [];
  const text = await compare(repository, ["--numstat", "-z"], pairs);
  for (let at = 0; at < text.length; ) {
    // A line `<from> <to>` opens each pair; a record begins with a number or a dash, and a tab.
    const isOpening = /[0-9a-f]{40,} /y;
    isOpening.lastIndex = at;
    if (isOpening.test(text)) {
      answers.push({ ...noStats });
      at = text.indexOf("\n", at) + 1;
      continue;
    }
    const end = text.indexOf("\0", at);
    const stats = answers.at(-1);
    if (stats) count(stats, text.slice(at, end));
    at = end + 1;
  }
  return expectAll(answers, pairs);
}

const noStats: Stats = { files: 0, insertions: 0, deletions: 0 };

function count(stats: Stats, record: string): void {
  const [insertions = "", deletions = ""] = record.split("\t");
  stats.files++;
  stats.insertions += Number(insertions) || 0;
  stats.deletions += Number(deletions) || 0;
}

interface Pair {
  /** Trees or commits. */
  from: string;
  to: string;
}

/** The changed paths of many pairs, by one `git diff-tree`; the answers are in the order of the pairs. */
export async function changesOfMany(repository: Repository, pairs: readonly Pair[]): Promise<Change[][]> {
  const answers: Change[][] = [];
  const text = await compare(repository, ["--raw", "-z", "--no-abbrev"], pairs);
  for (let at = 0; at < text.length; ) {
    // A line `<from> <to>` opens each pair.
    const parsed = parseRaw(text, text.indexOf("\n", at) + 1);
    answers.push(parsed.changes);
    at = parsed.end;
  }
  return expectAll(answers, pairs);
}

async function compare(repository: Repository, format: readonly string[], pairs: readonly Pair[]): Promise<string> {
  if (pairs.length === 0) return "";
  const trees = await treesOf(repository, pairs);
  const at = (name: string): string => trees.get(name) ?? name;
  const { stdout } = await repository.git(["diff-tree", ...plain, ...format, "--stdin"], {
    gitDir: repository.gitDir,
    input: pairs.map(({ from, to }) => `${at(from)} ${at(to)}\n`).join(""),
  });
  return stdout.toString("latin1");
}

function expectAll<T>(answers: T[], pairs: readonly Pair[]): T[] {
  if (answers.length === pairs.length) return answers;
  throw new Fault("git", `git compared ${answers.length} pairs of trees out of ${pairs.length}`);
}

/** `--stdin` compares trees with trees; a commit is looked through to its tree. */
async function treesOf(repository: Repository, pairs: readonly Pair[]): Promise<Map<string, string>> {
  const names = [...new Set(pairs.flatMap(({ from, to }) => [from, to]))];
  const found = await Promise.all(names.map((name) => repository.objects.info(`${name}^{tree}`)));
  return new Map(
    names.map((name, index) => {
      const oid = found[index]?.oid;
      if (oid === undefined) throw new Fault("git", `there is no tree ${name} in ${repository.gitDir}`);
      return [name, oid];
    }),
  );
}

/** Records `:<mode> <mode> <oid> <oid> <letter> NUL <path> NUL`, up to what is not one. */
export function parseRaw(text: string, start: number): { changes: Change[]; end: number } {
  const changes: Change[] = [];
  let at = start;
  while (text[at] === ":") {
    const tab = text.indexOf("\0", at);
    const end = text.indexOf("\0", tab + 1);
    const [oldMode = "", newMode = "", oldOid = "", newOid = ""] = text.slice(at + 1, tab).split(" ");
    const path = rawOf(text.slice(tab + 1, end));
    changes.push({ path, before: versionOf(oldMode, oldOid), after: versionOf(newMode, newOid) });
    at = end + 1;
  }
  return { changes, end: at };
}

function versionOf(mode: string, oid: string): Version | null {
  return mode === "000000" ? null : { mode, oid };
}
