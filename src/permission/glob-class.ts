import { refusePattern } from "./glob-refusal.ts";
import type { Member, Token } from "./glob-segment.ts";

/** `open` is the place of `[`; `next` is what follows its `]`. A `]` right after the opening is a member. */
export function readClass(glob: string, characters: readonly string[], open: number): { token: Token; next: number } {
  const isNegated = characters[open + 1] === "!" || characters[open + 1] === "^";
  const members: Member[] = [];
  const first = open + (isNegated ? 2 : 1);
  let at = first;
  while (at === first || characters[at] !== "]") {
    const read = readNamed(glob, characters, at) ?? readRange(glob, characters, at);
    members.push(read.member);
    at = read.next;
  }
  return { token: { kind: "class", isNegated, members }, next: at + 1 };
}

function readRange(glob: string, characters: readonly string[], start: number): { member: Member; next: number } {
  const from = readMember(glob, characters, start);
  const after = characters[from.next + 1];
  if (characters[from.next] !== "-" || after === "]" || after === undefined) {
    return { member: { from: from.value, to: from.value }, next: from.next };
  }
  const to = readMember(glob, characters, from.next + 1);
  return { member: { from: from.value, to: to.value }, next: to.next };
}

function readMember(glob: string, characters: readonly string[], start: number): { value: string; next: number } {
  const at = characters[start] === "\\" ? start + 1 : start;
  const value = characters[at];
  if (value === undefined)
    throw refusePattern(glob, "a [ is never closed", "close it with ], or write \\[ for a bracket");
  if (value === "/") throw refusePattern(glob, "a class never matches a slash", "take the / out of the brackets");
  return { value, next: at + 1 };
}

const named: Readonly<Record<string, RegExp>> = {
  alnum: /^[A-Za-z0-9]$/,
  alpha: /^[A-Za-z]$/,
  blank: /^[ \t]$/,
  cntrl: /^[\0-\x1f\x7f]$/,
  digit: /^[0-9]$/,
  graph: /^[!-~]$/,
  lower: /^[a-z]$/,
  print: /^[ -~]$/,
  punct: /^[!-/:-@[-`{-~]$/,
  space: /^[ \t\n\v\f\r]$/,
  upper: /^[A-Z]$/,
  xdigit: /^[0-9A-Fa-f]$/,
};

function readNamed(glob: string, characters: readonly string[], start: number) {
  if (characters[start] !== "[" || characters[start + 1] !== ":") return undefined;
  const close = characters.indexOf("]", start + 2);
  if (close < 0 || close === start + 2 || characters[close - 1] !== ":") return undefined;
  const name = characters.slice(start + 2, close - 1).join("");
  const known = Object.hasOwn(named, name) ? named[name] : undefined;
  if (!known) throw refusePattern(glob, `[:${name}:] is no class`, `one of ${Object.keys(named).join(", ")}`);
  return { member: { named: known }, next: close + 1 };
}
