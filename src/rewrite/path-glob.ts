/**
 * The globs of an ast-grep rule's `files` and `ignores`: as in ast-grep, `*` and `?` also match `/`,
 * and a pattern is about the whole path from the repository's root.
 */
export function compileGlob(glob: string, isCaseInsensitive: boolean): (path: string) => boolean {
  const expression = new RegExp(`^${translate(glob)}$`, isCaseInsensitive ? "isu" : "su");
  return (path) => expression.test(path);
}

const token = /\*\*\/|\*+|\?|\[[!^]?\]?[^\]]*\]|\\.|[{},]|[^*?[\\{},]+|./gsu;

function translate(glob: string): string {
  let depth = 0;
  const pieces = [...glob.matchAll(token)].map(([piece]) => piece);
  const written = pieces.map((piece, index) => {
    if (piece === "{") depth++;
    if (piece === "}") depth--;
    return translateToken(piece, { before: pieces[index - 1] ?? "/", isInBraces: depth > 0 });
  });
  if (depth !== 0) throw new SyntaxError("its braces are not balanced");
  return written.join("");
}

function translateToken(piece: string, at: { before: string; isInBraces: boolean }): string {
  if (piece === "**/") return at.before.endsWith("/") ? "(?:.*/)?" : ".*/";
  if (piece.startsWith("*")) return ".*";
  if (piece === ",") return at.isInBraces ? "|" : ",";
  if (/^\[.+\]$/su.test(piece)) return characterClass(piece);
  return marks[piece] ?? literally(piece.replace(/^\\(?=.)/su, ""));
}

const marks: Readonly<Record<string, string>> = { "?": ".", "{": "(?:", "}": ")" };

function characterClass(piece: string): string {
  const isNegated = /^\[[!^]/.test(piece);
  const members = piece.slice(isNegated ? 2 : 1, -1).replaceAll(/[\\\]^[(){}/|]/g, "\\$&");
  return `[${isNegated ? "^" : ""}${members}]`;
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
