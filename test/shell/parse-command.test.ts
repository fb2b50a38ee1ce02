// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are texts for a shell
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCommand } from "../../src/shell/parse-command.ts";

/** Pieces of which texts are put together; two programs that record what they get are called `a` and `b`. */
const piece = fc.constantFrom(
  ..."a b c 5 'x' \"y\" '' \"\" \\ \\\\ \\' \\\" ' \" $ \\$ \\` ` * ? [ ] { } ~ ! # = + - -- , . .. : ; ;; & && | || < > ( ) @ % ^ é"
    .split(" ")
    .concat([
      " ",
      " ",
      " ",
      "\t",
      "\n",
      "\\\n",
      "\n\n",
      " #",
      "# c\n",
      "'a b'",
      '"a b"',
      "'it''s'",
      '"\\n\\"\\$"',
      '"a\\b"',
    ]),
  ..."{a,b} {1..2} $'x' $\"x\" $a ${a} $(a) $? \"$?\" a=1 CI=1 ~/x x~y 2>&1 >/dev/null </dev/null <<'E' \"<<'E'\nb x\nE\n\" E HEAD@{1} @{u} a{b}c !x x! $x^ %1".split(
    " ",
  ),
);
const start = fc.constantFrom("a ", "b ", "a 1 2 ", "'a' ", "a; b ", "a && b ", "a | b ", "a\nb ", "a # x\nb ");
const text = fc
  .tuple(start, fc.array(piece, { minLength: 1, maxLength: 10 }))
  .map(([first, rest]) => first + rest.join(""));

/** What the words of each admitted text are, by program and in any order: those of a pipe run side by side. */
function read(command: string): string[] | undefined {
  const line = parseCommand(command);
  if ("refused" in line || command.includes("||")) return undefined;
  // dash takes `2>&1>/dev/null` for a mistake and runs nothing.
  if (/>&[12][<>]/.test(command)) return undefined;
  if (line.commands.some(({ redirects }) => redirects.some(({ path }) => path !== "/dev/null"))) return undefined;
  if (line.commands.some(({ words }) => words.some((word) => /\/.*\0|\0.*\//s.test(word)))) return undefined;
  const words = line.commands.map((each) => each.words.map((word) => word.replaceAll("\0", "0")));
  // bash's printf writes line by line, so the two sides of a pipe would fall into each other's words.
  if (command.includes("|") && words.flat().some((word) => word.includes("\n"))) return undefined;
  return words.every(([program]) => program === "a" || program === "b") ? words.map(show).sort() : undefined;
}

function show(words: readonly string[]): string {
  return `${words.join("\u0001")}\u0001`;
}

/** The same from a shell, which runs every text in turn with functions in place of the programs. */
function run(shell: string, commands: readonly string[]): string[][] {
  const root = mkdtempSync(join(tmpdir(), "sheaf-words-"));
  const quoted = (command: string) => `'${command.replaceAll("'", "'\\''")}'`;
  const recorder = (name: string) => `${name}() { printf '%s\\001' ${name} "$@" "$END" >&9; }\n`;
  const script = commands.map((command) => `( eval ${quoted(command)} ) 2>/dev/null; printf '\\003' >&9\n`).join("");
  const file = join(root, "script");
  writeFileSync(file, `exec 9>&1\nEND=$(printf '\\002')\n${recorder("a")}${recorder("b")}${script}`);
  try {
    const output = execFileSync(shell, [file], {
      cwd: root,
      env: { PATH: "/nowhere" },
      maxBuffer: 1 << 26,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return output.split("\u0003").map((each) => each.split("\u0002\u0001").filter(Boolean).sort());
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

describe("the words of an admitted command", () => {
  it.each(["/bin/bash", "/bin/sh"])(
    "are the words that %s passes on",
    (shell) => {
      const admitted = fc
        .sample(text, 12_000)
        .flatMap((command) => [{ command, words: read(command) }])
        .filter(({ words }) => words !== undefined)
        .slice(0, 1_000);
      expect(admitted.length).toBeGreaterThan(300);
      const passed = run(
        shell,
        admitted.map(({ command }) => command),
      );
      const different = admitted.flatMap(({ command, words }, index) =>
        JSON.stringify(words) === JSON.stringify(passed[index])
          ? []
          : [{ command, ours: words, theirs: passed[index] }],
      );
      expect(different).toEqual([]);
    },
    60_000,
  );
});
