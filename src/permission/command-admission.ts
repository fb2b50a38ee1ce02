import { parseCommand, type SimpleCommand } from "../shell/parse-command.ts";
import { programName } from "../shell/runners.ts";
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

/** Behind a `cd` a path means another file, and git may find another repository. */
function refusedMoved(commands: readonly SimpleCommand[]): string | undefined {
  if (!commands.some(({ words }) => words[0] === "cd")) return undefined;
  if (commands.some(({ redirects }) => redirects.some(({ path }) => path !== "/dev/null")))
    return "cd and a redirection to a file in one line are not admitted; write them as two";
  const startsGit = commands.some(
    ({ words }) => words[0] !== "cd" && words.some((word) => programName(word) === "git"),
  );
  return startsGit
    ? "cd and git in one line are not admitted; start git at the root, or as git -C FOLDER with a rule that names the folder"
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
