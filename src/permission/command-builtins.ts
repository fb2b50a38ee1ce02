import { code, type Danger, incomplete, isInside, listed } from "./command-program.ts";

/**
 * What the shell itself does with words: only builtins that leave the shell as it was are admitted. The others change
 * what later words mean, or evaluate their arguments once more, as `test -v 'a[$(command)]'` does.
 */
export function dangerOfBuiltin(words: readonly string[]): Danger | undefined {
  const program = words[0] ?? "";
  if (refused.has(program))
    return code(`${program} is not admitted: it changes what the shell does; write plain commands`);
  const check = checks.get(program);
  return check?.(words);
}

const checks = new Map<string, (words: readonly string[]) => Danger | undefined>([
  ["test", checkTest],
  ["[", checkTest],
  ["printf", checkPrintf],
  ["cd", checkFolder],
]);

function checkTest(words: readonly string[]): Danger | undefined {
  const isOdd = words.some((word) => /^-[vRN]$/.test(word));
  return isOdd ? code(`${words[0]} -v evaluates what it gets; test for files or compare texts instead`) : undefined;
}

function checkPrintf(words: readonly string[]): Danger | undefined {
  const isOdd = /^-/.test(words[1] ?? "") && words[1] !== "--";
  return isOdd ? code("printf with an option is not admitted; leave it out") : undefined;
}

function checkFolder(words: readonly string[]): Danger | undefined {
  if (words.length === 1) return incomplete("cd needs a folder of the repository");
  if (words.length === 2 && isInside(words[1] ?? "")) return undefined;
  return code("cd is admitted only to a folder of the repository, by a relative path");
}

/** bash's own list (`compgen -b` and its keywords) without those that only print, compare or end. */
const refused = listed(`
  . alias bg bind break builtin caller command compgen complete compopt continue declare dirs disown enable eval exec
  export fc fg getopts hash help history jobs let local logout mapfile popd pushd read readarray readonly return set
  shift shopt source suspend times trap type typeset ulimit umask unalias unset wait
  ! [[ ]] (( { } case coproc do done elif else esac fi for function if in select then time until while
`);
