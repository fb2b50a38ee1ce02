import type { FoundCommands } from "../shell/find-commands.ts";
import type { FoundWord } from "../shell/found-word.ts";
import { dangerOf } from "./command-danger.ts";
import { withoutHarmless } from "./command-harmless.ts";

/**
 * What leaves a rule that forbids nothing to hold on to: code for another program, and variables that make programs
 * start others. What only writes a file, moves to a folder or sets a plain value does not.
 */
export function openEnded(found: FoundCommands): string | undefined {
  for (const { words, assigned } of found.commands) {
    const name = [...assigned, ...assignedByWords(words)].find((each) => loaded.test(each) && !plain.test(each));
    if (name !== undefined) return `setting ${name} may start any command`;
    const values = words.map(({ value }) => value);
    const program = values[0] ?? "";
    if (program === "" || seenThrough.test(program) || isOwnFile(program)) continue;
    const danger = dangerOf(withoutHarmless(values), 0);
    if (danger?.startsCode) return danger.reason;
  }
  return undefined;
}

/** A quoted assignment is an ordinary word for the parser, and some builtins are told a variable's name. */
function assignedByWords([program, ...given]: readonly FoundWord[]): string[] {
  const values = given.map(({ value }) => value);
  const name = program?.value ?? "";
  if (/^(?:env|export|declare|typeset|local|readonly)$/.test(name))
    return values.flatMap((each) => /^(\w+)\S*?=/.exec(each)?.[1] ?? []);
  if (/^(?:read|mapfile|readarray)$/.test(name)) return values;
  return name === "printf" && values[0]?.startsWith("-v") ? [values[0].slice(2), values[1] ?? ""] : [];
}

/** A file of the repository only bears the name of another program. */
function isOwnFile(program: string): boolean {
  return /^[^/].*\//.test(program) && !/(?:^|\/)(?:\.\.|\.?bin)\//.test(program);
}

/** Variables through which a shell or a program is made to run something. */
const loaded =
  /^(?:LD_|DYLD_|GIT_|BASH|ENV$|PATH$|CDPATH$|IFS$|PS\d|PROMPT_COMMAND$|SHELL|.*PAGER$|.*EDITOR$|VISUAL$|BROWSER$|LESS|NODE_(?!ENV$)|NPM_|npm_|PYTHON|PERL|RUBY|JAVA_|_JAVA|JDK_|MAKE|RUSTC|CARGO_|GO(?:FLAGS|ROOT|TOOL|ENV|AUTH|CACHEPROG|PACKAGESDRIVER|EXPERIMENT|WORK)|CC$|CXX$|LUA_|TAR_OPTIONS$|RIPGREP_|SSH_|TERMINFO|HOME$|XDG_)/;

/** Of these, the ones that hold a name, a number or a switch; or folders that modules of the project are taken from. */
const plain = new RegExp(
  `^(?:${[
    "PYTHON(?:PATH|UNBUFFERED|DONTWRITEBYTECODE|HASHSEED|IOENCODING|UTF8|DEVMODE|FAULTHANDLER|OPTIMIZE|TRACEMALLOC|NOUSERSITE)",
    "CARGO_(?:TERM_\\w+|INCREMENTAL|NET_OFFLINE|NET_RETRY|TARGET_DIR|BUILD_JOBS)",
    "GIT_(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL|DATE)|GIT_TERMINAL_PROMPT|GIT_OPTIONAL_LOCKS|GIT_PS1_\\w+",
    "NODE_(?:PATH|NO_WARNINGS|DISABLE_COLORS|V8_COVERAGE|DEBUG|PENDING_DEPRECATION|TEST_CONTEXT)",
    "MAKELEVEL|LESSCHARSET",
  ].join("|")})$`,
);

/** What follows these was found and judged by itself. */
const seenThrough = /(?:^|\/)(?:find|fd|fdfind|eval|(?:ba|da|z|k|mk|a|c|tc|fi|rba)?sh|source|\.)$/;
