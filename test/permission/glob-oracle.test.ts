import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileGlob, couldCoverBelow, covers } from "../../src/permission/glob.ts";
import { subjectOf } from "../../src/permission/subject.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "sheaf-glob-"));
  execFileSync("git", ["init", "-q", root]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const names = [
  "a",
  "b",
  "ab",
  "abc",
  "A",
  "aB",
  "a b",
  "a ",
  " a",
  "a\nb",
  "\n",
  "a\\b",
  "\\",
  "[x]",
  "*",
  "?",
  "]",
  "-",
];
const oddNames = [
  "!a",
  "#a",
  ".a",
  "é",
  "5",
  "a5",
  "x",
  "ba",
  "bab",
  "aab",
  "(a)",
  "{a,b}",
  "a+",
  "$",
  "^",
  "a.b",
  "~",
];
const name = fc.constantFrom(...names, ...oddNames);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const atom = fc.constantFrom(
  ...[
    "a",
    "b",
    "A",
    "*",
    "?",
    "\\*",
    "\\?",
    "\\a",
    "\\ ",
    " ",
    "[ab]",
    "[!a]",
    "[^a]",
    "[a-c]",
    "[]]",
    "[!]]",
    "[\\]]",
  ],
  ...[
    "[[:digit:]]",
    "[[:alpha:][:digit:]]",
    "[a\\-c]",
    "[-a]",
    "[a-]",
    "\\[",
    "]",
    "\\\\",
    ".",
    "5",
    "é",
    "(",
    ")",
    "{",
    "}",
  ],
  ...["+", "$", "^", "\\#", "\\!", "-", ",", "[[:]", "[a[:]", "[[:space:]]", "~", "x"],
);
const segment = fc.oneof(
  fc.array(atom, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("")),
  fc.constant("**"),
);
/** Git's own shortcut reads `x**` as if a slash stood before the stars, against its documentation: not compared. */
const pattern = fc
  .tuple(fc.constantFrom("", "/"), fc.array(segment, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "/", " "))
  .map(([before, parts, after]) => before + parts.join("/") + after)
  .filter((text) => !/[^/]\*\*|\*\*[^/]/.test(text.trimEnd()) && !/^[#!~ ]/.test(text))
  .filter((text) => isAccepted(text));

function isAccepted(text: string): boolean {
  try {
    compileGlob(text, false);
    return true;
  } catch {
    return false;
  }
}

/** Each pattern in a folder of its own, so that one git answers for all of them. */
function askGit(patterns: readonly string[], paths: readonly string[], isCaseInsensitive: boolean): Set<string> {
  const asked: string[] = [];
  patterns.forEach((text, index) => {
    mkdirSync(join(root, `p${index}`), { recursive: true });
    writeFileSync(join(root, `p${index}`, ".gitignore"), `${text}\n`);
    for (const each of paths) asked.push(`p${index}/${each}`);
  });
  const setting = `core.ignoreCase=${isCaseInsensitive}`;
  const args = ["-C", root, "-c", setting, "check-ignore", "--no-index", "--stdin", "-z"];
  const answer = runGit(args, `${asked.join("\0")}\0`);
  return new Set(answer.split("\0"));
}

function runGit(args: string[], input: string): string {
  try {
    return execFileSync("git", args, { input, encoding: "utf8", maxBuffer: 1 << 28 });
  } catch (thrown) {
    if (thrown instanceof Error && "status" in thrown && thrown.status === 1) return "";
    throw thrown;
  }
}

describe("a glob", () => {
  for (const isCaseInsensitive of [false, true]) {
    it(`covers what git check-ignore says it covers (ignoreCase ${isCaseInsensitive})`, () => {
      const distinct = { minLength: 60, maxLength: 60 };
      fc.assert(
        fc.property(fc.array(pattern, distinct), fc.uniqueArray(path, distinct), (patterns, paths) => {
          // git folds no letters inside brackets and none outside ASCII: not compared when case is ignored.
          const compared = patterns.filter((text) => !isCaseInsensitive || !/[[é]/.test(text));
          const ignored = askGit(compared, paths, isCaseInsensitive);
          compared.forEach((text, index) => {
            const glob = compileGlob(text, isCaseInsensitive);
            // A question mark is a byte to git and a character to us.
            for (const each of paths.filter((candidate) => !/é/.test(candidate) || !/[?[]/.test(text))) {
              const { segments } = subjectOf(each, { isCaseInsensitive });
              const said = covers(glob, segments, false);
              expect([text, each, said]).toEqual([text, each, ignored.has(`p${index}/${each}`)]);
            }
          });
        }),
        { numRuns: 10 },
      );
    });
  }

  it("that covers a path could cover something below each directory above it", () => {
    fc.assert(
      fc.property(pattern, path, (text, each) => {
        const glob = compileGlob(text, false);
        const { segments } = subjectOf(each, { isCaseInsensitive: false });
        if (!covers(glob, segments, false)) return;
        for (let depth = 0; depth < segments.length; depth++) {
          expect(couldCoverBelow(glob, segments.slice(0, depth))).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("answers at once for a pattern and a name made to backtrack", () => {
    const glob = compileGlob(`${"a*".repeat(200)}b`, false);
    const { segments } = subjectOf("a".repeat(4_000), { isCaseInsensitive: false });
    expect(covers(glob, segments, false)).toBe(false);
    const stars = compileGlob(`${"**/a/".repeat(300)}b`, false);
    expect(
      covers(stars, subjectOf("a/".repeat(1_000).slice(0, -1), { isCaseInsensitive: false }).segments, false),
    ).toBe(false);
  });
});
