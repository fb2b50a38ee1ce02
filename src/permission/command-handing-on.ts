import { type Danger, limit, listed, type ProgramDanger } from "./command-program.ts";

/**
 * Programs that run others behind one of their verbs and are of use for more than that. What only runs others is no
 * program that a prefix could be about, and stands in the shell's list of runners.
 */
export const handingOnPrograms: Readonly<Record<string, ProgramDanger>> = {
  ...each("pyenv rbenv nodenv goenv jenv phpenv opam dune lerna", "exec"),
  ...each("rustup volta conda mamba micromamba doppler melos devbox", "run"),
  ...each("nvm rye pixi ddev", "exec run shell"),
  nx: behind("exec --command --commands"),
  stack: behind("exec ghc ghci eval runghc runhaskell repl hoogle"),
  cabal: behind("exec v2-exec new-exec repl v2-repl"),
  mix: behind("run eval cmd do escript.install archive.install"),
  lein: behind("run update-in repl trampoline do"),
  rebar3: behind("shell eval"),
  dart: behind("run global"),
  swift: behind("run repl -e --eval plugin -Xswiftc -Xcc -Xcxx -Xlinker --toolchain --disable-sandbox"),
  zig: behind("run"),
  heroku: behind("local run"),
  sbt: {
    check: (words) =>
      words.some((word, index) => index > 0 && !/^[\w./:*-]+$/.test(word))
        ? limit("sbt takes plain tasks only")
        : behind("eval set console shell apply").check?.(words, 0),
  },
  c8: { check: checkFirst, inner: () => 1 },
  nyc: { check: checkFirst, inner: () => 1 },
};

function each(names: string, verbs: string): Record<string, ProgramDanger> {
  return Object.fromEntries([...listed(names)].map((name) => [name, behind(verbs)]));
}

/** The verb is looked for at every place: which of these take options before it is not known. */
function behind(verbs: string): ProgramDanger {
  const refused = listed(verbs);
  const check = ([program, ...given]: readonly string[]): Danger | undefined => {
    const verb = given.find((word) => refused.has(word.split("=", 1)[0] ?? "") || word.includes("\0"));
    return verb === undefined
      ? undefined
      : limit(`${program} ${verb} runs the rest of its words; write that command by itself`);
  };
  return { check };
}

/** The program that is run must be one that the rule names. */
function checkFirst(words: readonly string[], named: number): Danger | undefined {
  if (words.length > 1 && /^-/.test(words[1] ?? "")) return limit(`${words[0]} with options is not admitted`);
  return named > 1 || words.length === 1
    ? undefined
    : limit(`${words[0]} runs the rest of its words; have a rule name the program`);
}
