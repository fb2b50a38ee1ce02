import { parseCommand, type SimpleCommand } from "../shell/parse-command.ts";
import { isInside } from "./command-program.ts";

/**
 * Which command lines rules that allow may speak of at all: those in which each word is known, that set nothing but a
 * few harmless variables, and that open files of the repository only.
 */
export function admit(command: string): Admission {
  const line = parseCommand(command);
  if ("refused" in line) return { commands: [], refused: line.refused };
  const refused = line.commands.map(refusedIn).find((reason) => reason !== undefined) ?? refusedMoved(line.commands);
  return refused === undefined ? { commands: line.commands.map(withPaths), refused } : { commands: [], refused };
}

/** Either all its commands, each of which needs a rule, or why none can have one. Files that are written to `/dev/null` are left out. */
export interface Admission {
  readonly commands: readonly SimpleCommand[];
  readonly refused: string | undefined;
}

const settable: ReadonlySet<string> = new Set(["CI", "NO_COLOR", "FORCE_COLOR", "NODE_ENV", "TZ", "LC_ALL"]);

function refusedIn({ assignments, words, redirects }: SimpleCommand): string | undefined {
  const odd = assignments.find(({ name }) => !settable.has(name));
  if (odd) return `setting ${odd.name} is not admitted; only ${[...settable].join(", ")} may be set before a command`;
  const strange = assignments.find(
    ({ value }) => !/^(?:[\w.,@+-]+(?:\/[\w.,@+-]+)*)?$/.test(value) || value.includes(".."),
  );
  if (strange) return `the value of ${strange.name} is not admitted: it is a plain word`;
  if (words[0]?.includes("\0") || words[0] === "") return "the program must be written out, without $ or wildcards";
  const outside = redirects.find(({ path }) => path !== "/dev/null" && !isInside(path));
  return (
    outside &&
    `the file ${JSON.stringify(outside.path)} is not admitted: name one of the repository by a relative path, or /dev/null`
  );
}

/** Behind a `cd` a path means another file. */
function refusedMoved(commands: readonly SimpleCommand[]): string | undefined {
  const hasMoved = commands.some(({ words }) => words[0] === "cd");
  const opens = commands.some(({ redirects }) => redirects.some(({ path }) => path !== "/dev/null"));
  return hasMoved && opens
    ? "cd and a redirection to a file in one line are not admitted; write them as two"
    : undefined;
}

/** Paths as the repository knows them. */
function withPaths(command: SimpleCommand): SimpleCommand {
  const files = command.redirects.filter(({ path }) => path !== "/dev/null");
  return { ...command, redirects: files.map((file) => ({ ...file, path: normal(file.path) })) };
}

function normal(path: string): string {
  return path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .join("/");
}
