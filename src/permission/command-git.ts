import { findOption, type OptionList } from "./command-options.ts";
import { code, type Danger, incomplete, isInside, limit, listed } from "./command-program.ts";

/** What of git a rule about its first words admits: its own subcommands, without what starts other programs. */
export function checkGit(words: readonly string[], named: number): Danger | undefined {
  const at = afterGlobals(words);
  const subcommand = words[at];
  if (subcommand === undefined) return undefined;
  if (subcommand.startsWith("-")) return code(`git ${subcommand} before the subcommand is not admitted; leave it out`);
  if (never.has(subcommand)) return code(`git ${subcommand} may start other programs; use another git command`);
  if (!own.has(subcommand))
    return limit(`git ${subcommand.replaceAll("\0", "*")} is none of the git commands admitted`);
  return checkArguments(subcommand, words.slice(at + 1), at < named) ?? checkFolder(words.slice(0, at), named);
}

/** A folder may only look like a repository, and bring settings that start programs: so a rule has to name it. */
function checkFolder(globals: readonly string[], named: number): Danger | undefined {
  const at = globals.lastIndexOf("-C") + 1;
  if (at === 0 || at < named) return undefined;
  return limit(`git -C needs a rule that names the folder: Bash(git -C ${globals[at]}:*)`);
}

/** `-C` may name a folder below, in a rule that does; what does not ask for a pager may be said. */
function afterGlobals(words: readonly string[]): number {
  let at = 1;
  for (let length = globalAt(words, at); length > 0; length = globalAt(words, at)) at += length;
  return /^(?:--version|-v)$/.test(words[at] ?? "") ? words.length : at;
}

/** How many words a global option takes that is admitted; 0 where none stands there. */
function globalAt(words: readonly string[], at: number): number {
  if (/^(?:--no-pager|-P|--no-optional-locks|--literal-pathspecs)$/.test(words[at] ?? "")) return 1;
  return words[at] === "-C" && isInside(words[at + 1] ?? "/") ? 2 : 0;
}

function checkArguments(subcommand: string, given: readonly string[], isNamed: boolean): Danger | undefined {
  const lists = [everywhere, ...(Object.hasOwn(special, subcommand) ? [special[subcommand] ?? everywhere] : [])];
  const found = lists.map((list) => findOption(given, list)).find((option) => option !== undefined);
  if (found !== undefined) {
    return code(
      `git ${subcommand} with ${found.split("=", 1)[0]} may start another program or write a file; leave it out`,
    );
  }
  if (transports.has(subcommand) && given.some((argument) => /::/.test(argument))) {
    return code(`git ${subcommand} with an address of the form name::address starts a program; use https://`);
  }
  if (Object.hasOwn(checks, subcommand)) return checks[subcommand]?.(given);
  if (transports.has(subcommand) && subcommand !== "remote" && !isNamed) {
    return limit(`git ${subcommand} needs a rule that names it: Bash(git ${subcommand}:*)`);
  }
  return undefined;
}

const checks: Readonly<Record<string, (given: readonly string[]) => Danger | undefined>> = {
  config(given) {
    if (given.length === 0) return incomplete("git config needs --get NAME or --list");
    const isReading = /^(?:--get|--get-all|--list|-l|get|list)$/.test(given[0] ?? "");
    return isReading ? undefined : code("git config is admitted only to read: git config --get NAME");
  },
  mv(given) {
    const isOwn = given.some((word) => /(?:^|\/)\.git(?:[/. ]|$)|~\d/i.test(word));
    return isOwn
      ? code("git mv to a name that git itself uses makes a repository of a folder; use another")
      : undefined;
  },
};

/** Of `-O` only what begins with it: as the pager of grep it is looked for among other letters too. */
const everywhere: OptionList = {
  options: `--output --no-index --ext-diff --textconv --filters --open-files-in-pager --upload-pack --receive-pack --exec
    --template --separate-git-dir --unsafe-paths --sendmail-cmd --smtp-server --config-env --exec-path --config
    --git-dir --work-tree -O`,
  valued: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNPQRSTUVWXYZ0123456789",
  safe: "--text --filter",
};

const special: Readonly<Record<string, OptionList>> = {
  archive: { options: "-o --remote" },
  apply: { options: "--directory" },
  "cherry-pick": { options: "--strategy", safe: "--strategy-option" },
  clone: { options: "-c -u" },
  "format-patch": { options: "-o --output-directory" },
  grep: { options: "-O", valued: "ABCmef" },
  merge: { options: "-s --strategy", valued: "mFXS", safe: "--strategy-option" },
  pull: { options: "-s --strategy", valued: "XSj", safe: "--strategy-option" },
  rebase: { options: "-x -i -s --strategy --interactive --edit-todo", valued: "XCS", safe: "--strategy-option" },
  revert: { options: "--strategy", safe: "--strategy-option" },
};

const transports = listed("clone fetch pull push ls-remote remote archive");

const never = listed(`
  alias bisect bugreport citool credential credential-cache credential-store cvsexportcommit cvsimport cvsserver daemon
  diagnose difftool fast-export fast-import filter-branch for-each-repo fsmonitor--daemon gui help hook http-backend
  http-fetch http-push imap-send instaweb interpret-trailers maintenance merge-index merge-octopus merge-one-file
  merge-resolve mergetool p4 quiltimport receive-pack remote-ext remote-fd request-pull scalar send-email
  send-pack sh-i18n sh-setup shell submodule svn upload-archive upload-pack web--browse
`);

const own = listed(`
  add am annotate apply archive blame branch bundle cat-file check-attr check-ignore check-mailmap check-ref-format
  checkout checkout-index cherry cherry-pick clean clone column commit commit-graph commit-tree config count-objects
  describe diff diff-files diff-index diff-tree fetch fmt-merge-msg for-each-ref format-patch fsck gc get-tar-commit-id
  grep hash-object index-pack init log ls-files ls-remote ls-tree mailinfo mailsplit merge merge-base merge-file
  merge-tree mktag mktree mv name-rev notes pack-objects pack-refs patch-id prune prune-packed pull push range-diff
  read-tree rebase reflog remote repack replace rerere reset restore rev-list rev-parse revert rm shortlog show show-branch
  show-index show-ref sparse-checkout stage stash status stripspace switch symbolic-ref tag unpack-file unpack-objects
  update-index update-ref update-server-info var verify-commit verify-pack verify-tag version whatchanged worktree write-tree
`);
