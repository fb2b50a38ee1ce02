import { fold, foldCharacter } from "./case-fold.ts";

/**
 * One path segment of a gitignore pattern, matched as git's wildmatch does, over code points instead of bytes.
 * It never becomes a regular expression: matching takes (pattern x name) steps at most, whatever the pattern.
 */
export type GlobSegment = { isFolded: boolean; tokens: readonly Token[] };

export type Token =
  | { kind: "character"; value: string }
  | { kind: "any" }
  | { kind: "star" }
  | { kind: "class"; isNegated: boolean; members: readonly Member[] };

/** A range of code points, both ends included, or one of POSIX's named classes. */
export type Member = { from: string; to: string } | { named: RegExp };

/** What a segment says when it holds no wildcard; undefined otherwise. */
export function literalSegment(tokens: readonly Token[]): string | undefined {
  let text = "";
  for (const token of tokens) {
    if (token.kind !== "character") return undefined;
    text += token.value;
  }
  return text;
}

/** A name by code points; a string will do where no character takes two code units. */
export type Name = string | readonly string[];

/** With `isFolded`, `matchesSegment` expects names already folded by `fold`. */
export function compileSegment(tokens: readonly Token[], isFolded: boolean): GlobSegment {
  if (!isFolded) return { isFolded, tokens };
  const folded = tokens.flatMap((token): Token[] =>
    token.kind === "character" ? [...fold(token.value)].map((value) => ({ kind: "character", value })) : [token],
  );
  return { isFolded, tokens: folded };
}

/** Whether the whole of `name` matches: greedy, going back to the last star only. */
export function matchesSegment({ tokens, isFolded }: GlobSegment, name: Name): boolean {
  let at = 0;
  let token = 0;
  let star = -1;
  let resumeAt = 0;
  while (at < name.length) {
    const next = tokens[token];
    if (next?.kind === "star") {
      star = token++;
      resumeAt = at;
    } else if (next && matchesCharacter(next, name[at] ?? "", isFolded)) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++resumeAt;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest.kind === "star");
}

function matchesCharacter(token: Token, character: string, isFolded: boolean): boolean {
  switch (token.kind) {
    case "character":
      return token.value === character;
    case "any":
      return true;
    case "star":
      return false;
    case "class":
      return isMember(token.members, character, isFolded) !== token.isNegated;
  }
}

function isMember(members: readonly Member[], character: string, isFolded: boolean): boolean {
  const forms = isFolded ? [character, character.toUpperCase()] : [character];
  return members.some((member) => forms.some((form) => holds(member, form, isFolded)));
}

function holds(member: Member, character: string, isFolded: boolean): boolean {
  if ("named" in member) return member.named.test(character);
  const point = character.codePointAt(0) ?? -1;
  const from = member.from.codePointAt(0) ?? 0;
  const to = member.to.codePointAt(0) ?? 0;
  if (point >= from && point <= to) return true;
  return isFolded && member.from === member.to && foldCharacter(member.from) === foldCharacter(character);
}
