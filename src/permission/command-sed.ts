import { code, type Danger, incomplete } from "./command-program.ts";

/**
 * Whether a sed script only edits what passes through. It reads the commands it knows and refuses all others: `e` starts
 * programs, `w`, `r` and `R` open files, labels and included scripts are not followed.
 */
export function checkSed(words: readonly string[]): Danger | undefined {
  const odd = words.find((word, index) => index > 0 && isOddOption(word));
  if (odd !== undefined) {
    return code(`sed with ${odd.slice(0, 20)} is not admitted: use -n, -E or -e, and the edit tools to change files`);
  }
  const scripts = scriptsOf(words.slice(1));
  if (scripts.length === 0) return incomplete("sed needs a script");
  const refused = scripts.find((script) => !isPlainScript(script));
  if (refused === undefined) return undefined;
  const shown = JSON.stringify(refused.slice(0, 40));
  return code(`the sed script ${shown} is not admitted: only s///, p, d, q, y and the like are, without e, w or r`);
}

/** What an `-e` gives; where none does, the first argument that is no option, and any that could be one. */
function scriptsOf(given: readonly string[]): string[] {
  const scripts = given.flatMap((word, index) => {
    if (givesNext.test(word)) return [given[index + 1] ?? ""];
    const glued = /^(?:--expression=|-[nErsuz]*e)(.+)$/s.exec(word)?.[1];
    return glued === undefined ? [] : [glued];
  });
  return scripts.length > 0 ? scripts : given.filter((word) => !word.startsWith("-")).slice(0, 1);
}

/** The next word is a script. An abbreviated `--expression` is none of the options admitted. */
const givesNext = /^(?:--expression|-[nErsuz]*e)$/;

function isOddOption(word: string): boolean {
  if (!word.startsWith("-") || word === "-") return false;
  return !plainOption.test(word) && !givesNext.test(word) && !/^(?:--expression=|-[nErsuz]*e)/.test(word);
}

const plainOption =
  /^(?:-[nErsuz]+|--quiet|--silent|--regexp-extended|--separate|--unbuffered|--null-data|--debug|--posix|--sandbox|--version|--help|--)$/;

function isPlainScript(script: string): boolean {
  if (script.includes("\0")) return false;
  let rest = script;
  while (rest !== "") {
    const next = afterCommand(rest);
    if (next === undefined) return false;
    rest = next;
  }
  return true;
}

/** What is left behind the first command; undefined where that is none of those known. */
function afterCommand(script: string): string | undefined {
  const blank = /^(?:[\s;]+|#[^\n]*)/.exec(script);
  if (blank) return script.slice(blank[0].length);
  const text = script.slice(addressLength(script)).replace(/^[ \t]*(?:![ \t]*)*/, "");
  const name = text[0] ?? "";
  if (name === "{") return text.slice(1);
  if (/[}=dDgGhHnNpPxzF]/.test(name)) return afterPlain(text.slice(1));
  if (/[qQlL]/.test(name)) return afterPlain(text.slice(1).replace(/^[ \t]*\d*/, ""));
  if (/[aic]/.test(name))
    return /^.[^\n\\]*(?:\\[^\n][^\n\\]*)*(?:\n|$)/.test(text) ? text.slice(lineLength(text)) : undefined;
  if (name === "s") return afterSubstitution(text);
  if (name === "y") return afterTransliteration(text);
  return undefined;
}

/** After a command there is an end or a brace; what stands there otherwise is nothing that is known. */
function afterPlain(rest: string): string | undefined {
  return /^[ \t]*(?:$|[;\n}#])/.test(rest) ? rest : undefined;
}

function lineLength(text: string): number {
  const end = text.indexOf("\n");
  return end < 0 ? text.length : end + 1;
}

function afterSubstitution(text: string): string | undefined {
  const delimiter = text[1] ?? "";
  const last = endOfReplacement(text, delimiter);
  if (last === undefined) return undefined;
  const rest = text.slice(last + 1);
  const flags = /^[gpiIM\d]*/.exec(rest)?.[0] ?? "";
  return afterPlain(rest.slice(flags.length));
}

function afterTransliteration(text: string): string | undefined {
  const last = /\[/.test(text) ? undefined : endOfReplacement(text, text[1] ?? "");
  return last === undefined ? undefined : afterPlain(text.slice(last + 1));
}

function endOfReplacement(text: string, delimiter: string): number | undefined {
  const end = endOfPattern(text, 2, delimiter);
  return end === undefined ? undefined : endOfPart(text, end + 1, delimiter);
}

/** Where the pattern ends: a delimiter within brackets belongs to it. Undefined where seds may disagree. */
function endOfPattern(text: string, from: number, delimiter: string): number | undefined {
  if (!/^[/|,#:@!%~_+]$/.test(delimiter)) return undefined;
  const pattern = new RegExp(`(?:${bracket}|\\\\[^\\n]|[^\\\\[\\n${delimiter}])*`, "y");
  pattern.lastIndex = from;
  const end = from + (pattern.exec(text)?.[0].length ?? 0);
  return text[end] === delimiter ? end : undefined;
}

/** Brackets that every sed closes at the same place. */
const bracket = String.raw`\[\^?(?!\])(?:[^\][\\\n]|\\[^\][\n]|\[:\w+:\])+\]`;

function endOfPart(text: string, from: number, delimiter: string): number | undefined {
  for (let at = from; at < text.length; at++) {
    if (text[at] === delimiter) return at;
    if (text[at] === "\\") at++;
    else if (text[at] === "\n") return undefined;
  }
  return undefined;
}

/** Up to two addresses: `1`, `$`, `1~2`, `/pattern/I`, `\|pattern|`, and as the second also `+3`. */
function addressLength(script: string): number {
  const first = oneAddress(script);
  const comma = /^[ \t]*,[ \t]*/.exec(script.slice(first))?.[0].length ?? 0;
  if (first === 0 || comma === 0) return first;
  const rest = script.slice(first + comma);
  const second = /^[+~]\d+/.exec(rest)?.[0].length ?? oneAddress(rest);
  return second === 0 ? first : first + comma + second;
}

function oneAddress(text: string): number {
  const plain = /^(?:\d+(?:~\d+)?|\$)/.exec(text)?.[0].length;
  if (plain !== undefined) return plain;
  const from = text[0] === "/" ? 1 : 2;
  if (text[0] !== "/" && text[0] !== "\\") return 0;
  const end = endOfPattern(text, from, text[from - 1] ?? "");
  return end === undefined ? 0 : end + 1 + (/^[IM]*/.exec(text.slice(end + 1))?.[0].length ?? 0);
}
