/** The three programs through which a rule that allows may look: what they run is judged instead of them. */
export const wrappers: ReadonlySet<string> = new Set(["timeout", "nice", "nohup"]);

/** Where the command begins that one of them runs; 0 where its own words are not understood, or it is a file's name. */
export function unwrap(words: readonly string[]): number {
  const grammar = grammars.get(words[0] ?? "");
  if (!grammar) return 0;
  let at = 1;
  for (let length = grammar.option(words, at); length > 0; length = grammar.option(words, at)) at += length;
  if (words[at] === "--") at++;
  if (grammar.operand) {
    if (!grammar.operand.test(words[at] ?? "")) return 0;
    at++;
  }
  return /^[^-\0]/.test(words[at] ?? "") ? at : 0;
}

interface Grammar {
  /** How many words the option at that place takes; 0 where none stands there. */
  option(words: readonly string[], at: number): number;
  /** What comes before the command. */
  operand?: RegExp;
}

const duration = "\\d+(?:\\.\\d+)?[smhd]?";
const signal = "(?:[A-Z][A-Z0-9+]*|\\d+)";

const grammars: ReadonlyMap<string, Grammar> = new Map(
  Object.entries({
    timeout: {
      option: options({
        alone: new RegExp(
          `^(?:--preserve-status|--foreground|-v|--verbose|-k${duration}|--kill-after=${duration}|-s${signal}|--signal=${signal})$`,
        ),
        withValue: { "-k": duration, "--kill-after": duration, "-s": signal, "--signal": signal },
      }),
      operand: new RegExp(`^${duration}$`),
    },
    nice: {
      option: options({
        alone: /^(?:-n-?\d+|--adjustment=-?\d+|-\d+)$/,
        withValue: { "-n": "-?\\d+", "--adjustment": "-?\\d+" },
      }),
    },
    nohup: { option: () => 0 },
  }),
);

function options(known: { alone: RegExp; withValue: Readonly<Record<string, string>> }): Grammar["option"] {
  return (words, at) => {
    const word = words[at] ?? "";
    if (known.alone.test(word)) return 1;
    const value = known.withValue[word];
    return value !== undefined && new RegExp(`^${value}$`).test(words[at + 1] ?? "") ? 2 : 0;
  };
}
