/**
 * An awk program without its texts, patterns and comments, so that what is left can be searched for what it does. It
 * guesses nothing: where awks may disagree on what a slash or a backslash means, there is no answer.
 */
export function withoutTexts(program: string): string | undefined {
  let bare = "";
  for (let at = 0; at < program.length; ) {
    const piece = pieceAt(program, at, bare);
    if (!piece) return undefined;
    bare += piece.left;
    at += piece.length;
  }
  return bare;
}

/** How much of the program it is, and what is left of it. */
interface Piece {
  length: number;
  left: string;
}

function pieceAt(program: string, at: number, bare: string): Piece | undefined {
  switch (program[at]) {
    case "\\":
      return program[at + 1] === "\n" ? { length: 2, left: " " } : undefined;
    case "#":
      return matched(program, at, { pattern: /#(?:[^\n]*[^\n\\])?(?=\n|$)/y, left: "" });
    case '"':
      return matched(program, at, { pattern: /"(?:[^"\\\n]|\\.)*"/sy, left: '""' });
    case "/":
      return slashAt(program, at, bare.replace(/[ \t]+$/, ""));
    default:
      return { length: 1, left: program[at] ?? "" };
  }
}

function matched(program: string, at: number, { pattern, left }: { pattern: RegExp; left: string }): Piece | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(program);
  return found ? { length: found[0].length, left } : undefined;
}

/** Behind a value it divides, behind anything else a pattern begins; where it could be either, only one that is alone divides. */
function slashAt(program: string, at: number, before: string): Piece | undefined {
  const divides: Piece = { length: 1, left: "/" };
  if (/(?:\)|\blength|\+\+|--)$/.test(before))
    return /^\/[^\n/]*(?:\n|$)/.test(program.slice(at)) ? divides : undefined;
  const isValue = /[\w.\]"]$/.test(before) && !/\b(?:return|printf?|in|else|do|case|exit|delete)$/.test(before);
  return isValue ? divides : matched(program, at, { pattern: literal, left: " 0 " });
}

/** A pattern that every awk closes at the same place: no slash stands within brackets. */
const literal = /\/(?:[^/\\\n[]|\\[^\n]|\[\^?(?:\[:\w+:\]|[^\][/\\\n]|\\[^\n/])+\])+\//y;
