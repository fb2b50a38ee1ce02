import { readClass } from "./glob-class.ts";
import { refusePattern } from "./glob-refusal.ts";
import { literalSegment, type Token } from "./glob-segment.ts";

/**
 * Reads a gitignore pattern. What git would accept and then never match (an open bracket, a slash inside one, an
 * unknown class) is refused: a rule that silently does nothing is worse than an error.
 */
export interface GlobSyntax {
  /** `**` between slashes is `globstar`; all other segments are tokens. */
  segments: readonly (readonly Token[] | "globstar")[];
  /** A pattern without a slash (but at its end) is about names at any depth. */
  isName: boolean;
  /** A slash at the end: directories only. */
  isDirectoryOnly: boolean;
  /** The one path it names, when it holds no wildcard. */
  literal: string | undefined;
}

/** Throws Fault `rule` naming the reason and what to write instead. */
export function parseGlob(glob: string): GlobSyntax {
  refuseShape(glob);
  const trimmed = trimTrailingSpaces(glob);
  const isDirectoryOnly = trimmed.endsWith("/");
  const body = isDirectoryOnly ? trimmed.slice(0, -1) : trimmed;
  const isName = !body.includes("/");
  const relative = body.startsWith("/") ? body.slice(1) : body;
  if (relative === "") throw refusePattern(glob, "it is empty", "write the tool alone to mean every path");
  const segments = readSegments(glob, relative).map((tokens) => asSegment(tokens, isName));
  const texts = segments.map((segment) => (segment === "globstar" ? undefined : literalSegment(segment)));
  for (const text of texts) refuseSegment(glob, text);
  const isLiteral = texts.every((text) => text !== undefined);
  return { segments, isName, isDirectoryOnly, literal: isLiteral ? texts.join("/") : undefined };
}

function refuseShape(glob: string): void {
  if (glob.includes("\0"))
    throw refusePattern(glob, "it holds a NUL character", "remove it; no file name can hold one");
  if (!glob.isWellFormed()) throw refusePattern(glob, "it holds half a character", "write it as valid Unicode");
  if (glob.length > 4_096)
    throw refusePattern(glob, "it is longer than 4,096 characters", "split it into several rules");
  if (glob.startsWith("!")) {
    throw refusePattern(
      glob,
      "a rule cannot be negated",
      "move it to the other list, or write \\! for a name with a !",
    );
  }
  if (/^(\/\/|~\/|~$|[A-Za-z]:[\\/]|\\\\|file:)/.test(glob)) {
    throw refusePattern(
      glob,
      "it is a path of the machine",
      "write it relative to the repository root, such as src/**",
    );
  }
}

function refuseSegment(glob: string, text: string | undefined): void {
  if (text === "..") throw refusePattern(glob, "it holds a `..` segment", "write it relative to the repository root");
  if (text === ".") throw refusePattern(glob, "a `.` segment never matches", "leave out the ./");
  if (text === "") throw refusePattern(glob, "an empty segment never matches", "write one / between names");
}

/** As git does: spaces at the end count only behind a backslash. */
function trimTrailingSpaces(glob: string): string {
  const parts = glob.match(/\\[\s\S]?|[^\\]/g) ?? [];
  while (parts.at(-1) === " ") parts.pop();
  return parts.join("");
}

function asSegment(tokens: readonly Token[], isName: boolean): readonly Token[] | "globstar" {
  const isStars = tokens.length > 1 && tokens.every((token) => token.kind === "star");
  return isStars && !isName ? "globstar" : tokens.filter((token, index) => !repeatsStar(tokens, token, index));
}

function repeatsStar(tokens: readonly Token[], token: Token, index: number): boolean {
  return token.kind === "star" && tokens[index - 1]?.kind === "star";
}

function readSegments(glob: string, text: string): Token[][] {
  const characters = [...text];
  const segments: Token[][] = [[]];
  let at = 0;
  while (at < characters.length) {
    const { token, next } = readToken(glob, characters, at);
    if (token === "slash") segments.push([]);
    else segments.at(-1)?.push(token);
    at = next;
  }
  return segments;
}

function readToken(glob: string, characters: readonly string[], at: number): { token: Token | "slash"; next: number } {
  const isEscaped = characters[at] === "\\";
  const character = characters[isEscaped ? at + 1 : at];
  if (character === undefined) throw refusePattern(glob, "it ends in a lone backslash", "write \\\\ for a backslash");
  const next = at + (isEscaped ? 2 : 1);
  if (character === "/") return { token: "slash", next };
  if (isEscaped) return { token: { kind: "character", value: character }, next };
  if (character === "[") return readClass(glob, characters, at);
  return { token: plain(character), next };
}

function plain(character: string): Token {
  if (character === "*") return { kind: "star" };
  if (character === "?") return { kind: "any" };
  return { kind: "character", value: character };
}
