import {
  type AndOr,
  type Assignment,
  type Command,
  type CommandArgument,
  type HereDoc,
  type ParsedScript,
  type PipelineNode,
  parse,
  type Redirection,
  type Statement,
  type SyntaxNode,
  type Word,
} from "unbash";
import { refusedText } from "./refused-text.ts";
import { type Refused, readWord } from "./shell-word.ts";
import { refuseGaps } from "./text-between.ts";

/**
 * The strict reading of a command line: simple commands, one after another, whose every word is known. It refuses all
 * else, with a reason and what to write instead. Nothing is taken from the parser on trust: each word is read again, and
 * every character of the text must belong to something that was understood.
 */
export function parseCommand(text: string): CommandLine | Refused {
  const refused = refusedText(text);
  if (refused !== undefined) return { refused };
  try {
    return readScript(text, parse(text));
  } catch (thrown) {
    // The parser overflows its stack on a text of many thousand brackets.
    if (thrown instanceof RangeError) return { refused: "it nests deeper than can be read" };
    throw thrown;
  }
}

function readScript(text: string, script: ParsedScript): CommandLine | Refused {
  const mistake = script.errors?.[0];
  if (mistake) return { refused: `it could not be read: ${mistake.message} at character ${mistake.pos + 1}` };
  const reading: Reading = { text, leaves: [], refused: undefined };
  const commands = script.commands.flatMap((statement) => readStatement(reading, statement));
  reading.refused ??= refuseCount(commands.length) ?? refuseGaps(text, reading.leaves);
  return reading.refused === undefined ? { commands } : { refused: reading.refused };
}

/** Simple commands in the order they are written, whatever joins them. */
export interface CommandLine {
  readonly commands: readonly SimpleCommand[];
}

export interface SimpleCommand {
  readonly assignments: readonly { readonly name: string; readonly value: string }[];
  /** At least one, the program first. Each NUL stands for text that only the shell will know. */
  readonly words: readonly string[];
  readonly redirects: readonly CommandRedirect[];
}

/** A file that is opened for a command. What only joins two of its own streams (`2>&1`) is not one. */
export interface CommandRedirect {
  readonly isWrite: boolean;
  readonly path: string;
}

interface Reading {
  readonly text: string;
  /** All that was understood: what is between must be blank, a comment or an operator. */
  leaves: { pos: number; end: number }[];
  /** The first reason; nothing after it counts. */
  refused: string | undefined;
}

const mostCommands = 32;

function refuseCount(count: number): string | undefined {
  if (count === 0) return "it holds no command";
  return count > mostCommands ? `a line has at most ${mostCommands} commands; put the rest into a script` : undefined;
}

function readStatement(reading: Reading, { command, background }: Statement): SimpleCommand[] {
  if (background) return refuse(reading, "a command in the background (&) is not admitted; run it by itself");
  return readJoined(reading, command);
}

function readJoined(reading: Reading, node: PipelineNode | AndOr): SimpleCommand[] {
  if (node.type === "Command") return readSimple(reading, node);
  if (node.type === "AndOr") return node.commands.flatMap((each) => readJoined(reading, each));
  if (node.type !== "Pipeline") return refuse(reading, refuseConstruct(node.type));
  if (node.prefixes.length > 0) return refuse(reading, "! and time before a command are not admitted; leave them out");
  if (node.operators.includes("|&")) return refuse(reading, "|& is not admitted; write 2>&1 |");
  return node.commands.flatMap((each) => readJoined(reading, each));
}

const constructs: Readonly<Record<string, string>> = {
  Subshell: "a subshell ( )",
  BraceGroup: "a group { }",
  Function: "a function",
  If: "if",
  For: "a loop",
  ArithmeticFor: "a loop",
  While: "a loop",
  Select: "a loop",
  Case: "case",
  Coproc: "coproc",
  TestCommand: "[[ ]]",
  ArithmeticCommand: "(( ))",
};

function refuseConstruct(type: SyntaxNode["type"]): string {
  return `${constructs[type] ?? "this construct"} is not admitted; write plain commands joined by |, &&, || or ;`;
}

function readSimple(reading: Reading, command: Command): SimpleCommand[] {
  const assignments = command.prefix.flatMap((node) => (node.type === "Assignment" ? setting(reading, node) : []));
  const words = command.name ? readWords(reading, [command.name, ...command.args]) : [];
  const redirects = command.redirects.flatMap((node) => readRedirect(reading, node));
  reading.leaves.push(...command.prefix, ...(command.name ? [command.name] : []), ...command.suffix);
  if (words.length > 0) return [{ assignments, words, redirects }];
  return refuse(reading, "what sets a variable or opens a file without a command is not admitted");
}

function setting(reading: Reading, node: Assignment): SimpleCommand["assignments"] {
  const isPlain = node.value.type === "Word" && !node.append && !node.index;
  const [value] = isPlain && node.value.type === "Word" ? readLiteral(reading, node.value) : [];
  if (value !== undefined) return [{ name: node.name, value }];
  return refuse(reading, `the assignment to ${node.name} is not admitted; write NAME=value before the command`);
}

function readWords(reading: Reading, nodes: readonly CommandArgument[]): string[] {
  return nodes.flatMap((node) =>
    node.type === "Word"
      ? read(reading, node)
      : refuse(reading, `setting ${node.name} for what follows is not admitted`),
  );
}

function readRedirect(reading: Reading, node: Redirection): CommandRedirect[] {
  if (node.descriptor?.type === "FileDescriptorVariable")
    return refuse(reading, "{name} before > or < is not admitted");
  if (node.type === "HereDoc") return readHereDocument(reading, node);
  if (!isWrittenPlainly(reading, node, node.target)) return refuse(reading, `write ${node.operator}FILE in one piece`);
  const [path] = node.target ? readLiteral(reading, node.target) : [];
  if (path === undefined) return refuse(reading, `the redirection ${node.operator} has no target`);
  if (node.operator === "<") return [{ isWrite: false, path }];
  if (writes.has(node.operator)) return [{ isWrite: true, path }];
  if (node.operator === ">&" && /^[12]$/.test(path)) return [];
  return refuse(reading, `${node.operator} ${show(path)} is not admitted; write >FILE 2>&1, or <FILE for input`);
}

/** A stream's number, the operator and its target, with blanks at most between the last two. */
function isWrittenPlainly({ text }: Reading, { pos }: Redirection, target: { pos: number } | undefined): boolean {
  return /^[0-2]?[<>&|]{1,3}[ \t]*$/.test(text.slice(pos, target?.pos ?? pos));
}

const writes: ReadonlySet<string> = new Set([">", ">>", ">|"]);

/** Its text is only text when the end word is quoted. */
function readHereDocument(reading: Reading, node: HereDoc): [] {
  const delimiter = node.delimiter?.text ?? "";
  if (
    !isWrittenPlainly(reading, node, node.delimiter) ||
    node.operator === "<<-" ||
    !/^(?:'\w+'|"\w+")$/.test(delimiter)
  ) {
    return refuse(reading, "a here-document is admitted only as <<'END', with its end word in quotes");
  }
  if (!node.closing) return refuse(reading, `the here-document ${delimiter} is not closed`);
  reading.leaves.push({ pos: node.body.pos, end: Math.max(node.body.end, node.closing.end) });
  return [];
}

/** A word whose whole text is known here. */
function readLiteral(reading: Reading, node: Word): string[] {
  return read(reading, node).filter((value) => {
    if (!value.includes("\0")) return true;
    refuse(reading, `${show(node.text)} is not admitted here: it must be a plain text without $ or wildcards`);
    return false;
  });
}

function read(reading: Reading, node: Word): string[] {
  const raw = reading.text.slice(node.pos, node.end);
  if (raw.endsWith("\\\n") && !/^(?:[ \t\n]|$)/.test(reading.text.slice(node.end))) {
    return refuse(reading, "a line is continued between two words only, with a blank");
  }
  const word = readWord(raw);
  if ("refused" in word) return refuse(reading, `in ${show(raw)}: ${word.refused}`);
  if (!word.value.includes("\0") && word.value !== node.value) {
    return refuse(reading, `${show(raw)} can be read in two ways; quote it with single quotes`);
  }
  return [word.value];
}

function refuse(reading: Reading, reason: string): [] {
  reading.refused ??= reason;
  return [];
}

function show(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
