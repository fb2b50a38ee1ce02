import { withoutTexts } from "./command-awk-text.ts";
import { code, type Danger, incomplete } from "./command-program.ts";

/** An awk program that neither starts programs nor opens files by itself; files it gets as arguments are read. */
export function checkAwk(words: readonly string[]): Danger | undefined {
  const option = words.find((word, index) => index > 0 && isOption(word) && index < programAt(words));
  if (option !== undefined) {
    return code(`awk with ${option.slice(0, 20)} is not admitted; give the program itself, with -F and -v at most`);
  }
  const program = words[programAt(words)];
  if (program === undefined) return incomplete("awk needs a program");
  const found = opening(program);
  return found === undefined
    ? undefined
    : code(`an awk program with ${found} is not admitted; pipe its output on instead`);
}

/** Any option but `-F` and `-v`. */
function isOption(word: string): boolean {
  return word.startsWith("-") && word !== "--" && !/^-[Fv]/.test(word);
}

/** Behind the options, of which two take a value. */
function programAt(words: readonly string[]): number {
  let at = 1;
  while (/^-/.test(words[at] ?? "")) {
    if (words[at] === "--") return at + 1;
    at += /^-[Fv]$/.test(words[at] ?? "") ? 2 : 1;
  }
  return at;
}

/** What in it starts a program or opens a file; `@` calls functions by a name that is put together. */
function opening(program: string): string | undefined {
  if (program.includes("\0")) return "an unknown part";
  const bare = withoutTexts(program);
  const text = bare ?? program;
  if (/\bsystem\b/.test(text)) return "system()";
  if (/\bgetline\b/.test(text)) return "getline";
  if (text.includes("@")) return "@";
  if (text.replaceAll("||", "").includes("|")) return "a pipe";
  const statements = bare === undefined ? [program] : joined(bare).split(/[;}\n]/);
  return statements.some(printsToFile) ? "an output file" : undefined;
}

/** A statement goes on in the next line behind an operator. */
function joined(bare: string): string {
  return bare.replaceAll(/([,&|?:({[=+*/%<>~!^-])\s*\n/g, "$1 ");
}

function printsToFile(statement: string): boolean {
  const at = statement.search(/\bprintf?\b/);
  return at >= 0 && statement.includes(">", at);
}
