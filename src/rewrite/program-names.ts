import ts from "@typescript/typescript6";
import { quoted } from "./program-scope.ts";
import type { Declared } from "./program-symbol.ts";

/** Why a name cannot be written where it would have to be; undefined where it can. */
export function refusedName(to: string, { name, isMember }: Declared): string | undefined {
  if (to === name) return `${quoted(name)} has that name already`;
  const isPrivate = name.startsWith("#");
  if (isPrivate !== to.startsWith("#")) {
    return isPrivate
      ? `${quoted(name)} is private: write the new name with its # too`
      : `${quoted(name)} is not private, so its new name cannot begin with #`;
  }
  const word = isPrivate ? to.slice(1) : to;
  if (!isIdentifier.test(word)) return `${quoted(to)} is no name that JavaScript can have`;
  if (!isMember && isReserved(word)) return `${quoted(to)} is a reserved word`;
  if (isMember && to === "constructor") return `a member cannot be renamed to "constructor", which every class has`;
  return undefined;
}

const isIdentifier = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

function isReserved(word: string): boolean {
  const scanner = ts.createScanner(ts.ScriptTarget.ESNext, false, ts.LanguageVariant.Standard, word);
  const kind = scanner.scan();
  const isKeyword = kind >= ts.SyntaxKind.FirstReservedWord && kind <= ts.SyntaxKind.LastFutureReservedWord;
  return isKeyword || ["await", "eval", "arguments", "undefined"].includes(word);
}
