/**
 * Reads one word of a command line a second time, from its very characters, and refuses whatever could come to more
 * than one word, or to a text that cannot be known here. It knows only what sh and bash read alike.
 */

/** What a word may not hold, said so that somebody can write it another way. */
export interface Refused {
  readonly refused: string;
}

/**
 * `written` is one word as it stands in the text, quotes and all. `value` is what the program will get; each NUL in it stands
 * for text that only the shell will know.
 */
export function readWord(written: string): { readonly value: string } | Refused {
  const raw = withoutContinuedEnds(written);
  if (raw.startsWith("#")) return { refused: "a comment after a continued line is not admitted" };
  const state: Reading = { raw, at: 0, value: "", marks: [], refused: undefined };
  while (state.at < raw.length && state.refused === undefined) step(state);
  const refused = state.refused ?? refuseWhole(state);
  return refused === undefined ? { value: state.value } : { refused };
}

/** A line may be continued before and after a word. Within one, `$` and what follows would still belong together. */
function withoutContinuedEnds(written: string): string {
  const raw = written.replace(/^(?:\\\n)+/, "");
  return /(?<!\\)(?:\\\\)*\\\n$/.test(raw) ? raw.slice(0, -2) : raw;
}

const continued = "a line that is continued within a word is not admitted; write the word in one piece";

/** The variables that may be named: set by the sandbox, not by the command, and never the beginning of an option. */
const knownVariables: ReadonlySet<string> = new Set(["HOME", "PWD", "TMPDIR", "USER"]);

interface Reading {
  readonly raw: string;
  at: number;
  value: string;
  /** What was unknown, in order: one for each NUL of the value. */
  marks: ("variable" | "status" | "glob")[];
  refused: string | undefined;
}

function step(state: Reading): void {
  const character = state.raw[state.at] ?? "";
  if (character === "'") readSingle(state);
  else if (character === '"') readDouble(state);
  else if (character === "\\") readEscape(state);
  else if (character === "$") readDollar(state, { isQuoted: false });
  else if (/[*?[]/.test(character) && state.raw !== "[") mark(state, "glob", 1);
  else {
    state.refused = refuseBare(state, character);
    state.value += character;
    state.at += 1;
  }
}

function refuseBare({ raw, at }: Reading, character: string): string | undefined {
  const before = raw[at - 1];
  if (character === "`") return "a command inside backticks is not admitted; run it by itself first";
  if (/[()<>&|;\s]/.test(character)) return `${JSON.stringify(character)} inside a word is not admitted; quote it`;
  if (character === "~" && (before === undefined || before === "=" || before === ":")) {
    return "~ at the beginning of a path is not admitted; write the path relative to the repository";
  }
  if (character === "{" && !/^\{[\w-]+\}/.test(raw.slice(at)) && raw !== "{}") {
    return "{ } may expand to several words; write them out, or quote the braces";
  }
  return undefined;
}

function readSingle(state: Reading): void {
  const end = state.raw.indexOf("'", state.at + 1);
  if (end < 0) {
    state.refused = "a single quote is not closed";
    return;
  }
  state.value += state.raw.slice(state.at + 1, end);
  state.at = end + 1;
}

function readDouble(state: Reading): void {
  state.at += 1;
  while (state.refused === undefined) {
    const character = state.raw[state.at];
    if (character === '"') {
      state.at += 1;
      return;
    }
    if (character === undefined) state.refused = "a double quote is not closed";
    else if (character === "`") state.refused = "a command inside backticks is not admitted; run it by itself first";
    else if (character === "$") readDollar(state, { isQuoted: true });
    else if (character === "\\") readQuotedEscape(state);
    else {
      state.value += character;
      state.at += 1;
    }
  }
}

function readEscape(state: Reading): void {
  const next = state.raw[state.at + 1];
  if (next === undefined) state.refused = "a backslash at the very end is not admitted";
  if (next === "\n") state.refused = continued;
  state.value += next ?? "";
  state.at += 2;
}

/** Within double quotes a backslash is itself unless one of five characters follows. */
function readQuotedEscape(state: Reading): void {
  const next = state.raw[state.at + 1] ?? "";
  if (next !== "" && '$`"\\'.includes(next)) state.value += next;
  else if (next === "\n") state.refused = continued;
  else state.value += `\\${next}`;
  state.at += 2;
}

function readDollar(state: Reading, { isQuoted }: { isQuoted: boolean }): void {
  const rest = state.raw.slice(state.at + 1);
  const name = /^[A-Za-z_]\w*/.exec(rest)?.[0];
  const opens = isQuoted ? /^[({[\d@*#!$-]/ : /^[({['"\d@*#!$-]/;
  if (name !== undefined) {
    state.refused = refuseVariable(name, isQuoted);
    mark(state, "variable", 1 + name.length);
  } else if (rest.startsWith("?")) {
    mark(state, "status", 2);
  } else {
    if (opens.test(rest)) state.refused = refuseExpansion(rest);
    state.value += "$";
    state.at += 1;
  }
}

function refuseVariable(name: string, isQuoted: boolean): string | undefined {
  if (!knownVariables.has(name)) {
    return `$${name} is not admitted, as its value cannot be seen here; write the value itself`;
  }
  return isQuoted ? undefined : `$${name} may come to several words; write "$${name}"`;
}

function refuseExpansion(rest: string): string {
  if (rest.startsWith("((") || rest.startsWith("[")) return "arithmetic is not admitted; write the number";
  if (rest.startsWith("(")) return "a command inside $( ) is not admitted; run it by itself first";
  if (rest.startsWith("'") || rest.startsWith('"')) return `$${rest[0]} is not admitted; use plain quotes`;
  return `the expansion $${rest.slice(0, 12)} is not admitted; write its value, in single quotes if it is meant as text`;
}

function mark(state: Reading, kind: Reading["marks"][number], length: number): void {
  state.marks.push(kind);
  state.value += "\0";
  state.at += length;
}

/**
 * What is unknown must not become an option or another kind of word: a wildcard stands behind a slash, and so does what
 * follows a variable; a variable within an option is its value and never its letters.
 */
function refuseWhole({ value, marks }: Reading): string | undefined {
  if (!marks.includes("glob") && !marks.includes("variable")) return undefined;
  const head = value.slice(0, value.indexOf("\0"));
  if (marks.includes("glob") && (!head.includes("/") || head.startsWith("-"))) {
    return "a wildcard may expand to a file whose name is an option; write ./ in front of it, or quote it";
  }
  if (value.startsWith("-") && !/^--[\w-]+=/.test(head)) return "a variable is not admitted within an option";
  if (head === "" && !/^\0(\/|$)/.test(value)) return "a variable at the beginning is followed by / or by nothing";
  return undefined;
}
