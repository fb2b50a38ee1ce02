import { type Command, forEachChild, type ParsedScript, parse, type SyntaxNode, type Word } from "unbash";
import { type FoundWord, foundWord } from "./found-word.ts";
import { lookInside } from "./look-inside.ts";

/**
 * The tolerant reading, for rules that forbid: every command that a text could start, wherever it is written. It admits
 * nothing. It rather finds a command too many, and says so when something in it cannot be read at all.
 */
export function findCommands(text: string): FoundCommands {
  const search: Search = { commands: [], unreadable: undefined, scripts: new Set(), isArgument: false };
  try {
    searchScript(search, text);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    search.unreadable = "it nests deeper than can be read";
  }
  return { commands: search.commands, unreadable: search.unreadable };
}

export interface FoundCommands {
  readonly commands: readonly FoundCommand[];
  /** What could not be seen through: commands may be missing then. */
  readonly unreadable: string | undefined;
}

export interface FoundCommand {
  /** The program first. */
  readonly words: readonly FoundWord[];
  /** The names that are set, in front of it or by themselves. */
  readonly assigned: readonly string[];
}

interface Search {
  commands: FoundCommand[];
  unreadable: string | undefined;
  /** The texts that were read as scripts. */
  scripts: Set<string>;
  isArgument: boolean;
}

const mostScripts = 64;
const mostCommands = 2_000;
const mostCharacters = 65_536;

/** A shell takes continued lines together before it reads anything; in quotes it does not. Both count. */
function searchScript(search: Search, text: string): void {
  if (search.scripts.has(text)) return;
  if (
    search.scripts.add(text).size > mostScripts ||
    search.commands.length > mostCommands ||
    text.length > mostCharacters
  ) {
    search.unreadable ??= "it holds more than can be looked through";
    return;
  }
  searchParsed(search, parse(text));
  if (text.includes("\\\n")) searchParsed(search, parse(text.replaceAll("\\\n", "")));
}

function searchParsed(search: Search, script: ParsedScript): void {
  const mistake = script.errors?.[0];
  if (mistake && !search.isArgument) search.unreadable ??= `it could not be read: ${mistake.message}`;
  forEachChild(script, (child) => visit(search, child));
}

function visit(search: Search, node: SyntaxNode): void {
  if (node.type === "Command") collect(search, node);
  if (node.type === "Word") searchQuoted(search, node);
  if (node.type === "Script") searchParsed(search, node);
  else forEachChild(node, (child) => visit(search, child));
}

function collect(search: Search, command: Command): void {
  const words: FoundWord[] = command.name ? [foundWord(command.name)] : [];
  for (const each of command.args) {
    words.push(each.type === "Word" ? foundWord(each) : { value: each.text, isList: false });
  }
  const assignments = [...command.prefix, ...command.suffix].filter((each) => each.type === "Assignment");
  const assigned = assignments.map(({ name }) => name);
  search.commands.push({ words, assigned });
  const inside = lookInside(words);
  for (const inner of inside.commands) search.commands.push({ words: inner, assigned: [] });
  for (const script of inside.scripts) searchScript(search, script);
  for (const text of inside.texts) searchArgument(search, text);
  search.unreadable ??= inside.unreadable;
}

/** What is an argument first may be no script at all: its mistakes count for nothing. */
function searchArgument(search: Search, text: string): void {
  const before = search.isArgument;
  search.isArgument = true;
  searchScript(search, text);
  search.isArgument = before;
}

/** bash evaluates some quoted texts once more: `test -v 'a[$(command)]'`. Substitutions in them count as commands. */
function searchQuoted(search: Search, word: Word): void {
  const { value } = foundWord(word);
  if (word.parts === undefined && !word.text.includes("\\")) return;
  if (!/\$\(|`/.test(value)) return;
  // printf fills its %s with any text.
  for (const text of new Set([value, value.replaceAll(/%[-+ #0-9.*]*[a-zA-Z]/g, "\0")])) {
    searchScript(search, `: <<SHEAF_END_OF_TEXT\n${text}\nSHEAF_END_OF_TEXT\n`);
  }
}
