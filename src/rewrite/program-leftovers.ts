import ts from "@typescript/typescript6";
import type { Leftover } from "../protocol/claim.ts";
import { placesIn } from "./place.ts";
import { isInstalled, type RepositoryFiles } from "./program-files.ts";
import { nodeAt } from "./program-nodes.ts";
import { keyOf, type Place } from "./program-references.ts";
import { isSource } from "./program-scope.ts";
import type { OpenProject } from "./program-service.ts";

/**
 * Where the same word stands and stays: strings, comments, texts, and names whose meaning the compiler does not know.
 * A name that means something else for certain is no leftover.
 */
export interface Mention {
  path: string;
  /** UTF-16 index. */
  start: number;
  length: number;
  reason: string;
}

/** Most that are listed one by one; the rest are counted. */
const most = 2_000;

export async function mentionsOf(
  word: string,
  asked: { paths: readonly string[]; places: ReadonlyMap<string, Place> },
  { files, projects }: { files: RepositoryFiles; projects: readonly OpenProject[] },
): Promise<Mention[]> {
  const mentions: Mention[] = [];
  for (const [index, path] of asked.paths.entries()) {
    if (index % filesPerBreath === 0) await files.breathe();
    const isAsked = !isInstalled(path) && Buffer.from(files.bytes(path) ?? []).includes(word);
    if (isAsked) mentions.push(...mentionsIn(path, word, { files, projects, places: asked.places }));
  }
  return mentions;
}

function mentionsIn(
  path: string,
  word: string,
  {
    files,
    projects,
    places,
  }: { files: RepositoryFiles; projects: readonly OpenProject[]; places: ReadonlyMap<string, Place> },
): Mention[] {
  const reasonAt = isSource(path) ? inSource(path, projects) : () => "in a text that the compiler does not read";
  return wordsIn(files.text(path) ?? "", word).flatMap((start) => {
    const place = places.get(keyOf({ path, start }));
    const reason = place ? reasonOfPlace(place) : reasonAt(start);
    return reason === undefined ? [] : [{ path, start, length: word.length, reason }];
  });
}

/** Files between two looks at the event loop. */
const filesPerBreath = 50;

/** Leftovers of one text after another, each with its line and column. */
export function leftoversOf(mentions: readonly Mention[], files: RepositoryFiles): Leftover[] {
  const shown = mentions.slice(0, most);
  const found = [...Map.groupBy(shown, ({ path }) => path)].flatMap(([path, own]) => {
    const text = files.text(path) ?? "";
    const placeOf = placesIn(text);
    return own
      .toSorted((one, other) => one.start - other.start)
      .map(({ start, length, reason }): Leftover => {
        const { line, column } = placeOf(start);
        return { path, line: line + 1, column: column + 1, text: text.slice(start, start + length), reason };
      });
  });
  const rest = mentions.slice(most);
  const [next] = rest;
  if (!next) return found;
  const reason = `${next.reason}; and ${rest.length - 1} more places in ${new Set(rest.map(({ path }) => path)).size} files`;
  return [...found, { path: next.path, line: 1, column: 1, text: "", reason }];
}

/** Indices of a word that is not part of a longer one. */
function wordsIn(text: string, word: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const before = [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? "";
    const behind = [...text.slice(at + word.length, at + word.length + 2)][0] ?? "";
    if (!isWordCharacter.test(before) && !isWordCharacter.test(behind)) found.push(at);
  }
  return found;
}

const isWordCharacter = /^[\p{ID_Continue}$\u200c\u200d]$/u;

function reasonOfPlace({ prefix, suffix }: Place): string | undefined {
  if (prefix === "" && suffix === "") return undefined;
  return "the property keeps its name, for those who read it by that name";
}

/** Why an index of a source was left, or undefined where it plainly means something else. */
function inSource(path: string, projects: readonly OpenProject[]): (start: number) => string | undefined {
  const project = projects.find((each) => each.source(path));
  const source = project?.source(path);
  if (!project || !source) return () => "in a source that could not be read as a program";
  const checker = project.program().getTypeChecker();
  return (start) => {
    const node = nodeAt(source, start);
    if (node && (ts.isIdentifier(node) || ts.isPrivateIdentifier(node))) {
      return isUnknown(node, checker) ? "a name whose type is not known: it may be the same thing" : undefined;
    }
    return node ? reasonOfText(node) : "in a comment";
  };
}

function reasonOfText(node: ts.Node): string {
  if (ts.isJsxText(node)) return "in the text of an element";
  if (ts.isStringLiteralLike(node)) return reasonOfString(node);
  if (ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node)) return "in a template string";
  return ts.isRegularExpressionLiteral(node) ? "in a regular expression" : "in a comment";
}

function reasonOfString(node: ts.StringLiteralLike): string {
  const { parent } = node;
  if (ts.isElementAccessExpression(parent)) return "a property that is read by a string";
  return ts.isJsxAttribute(parent) ? "in the string of an attribute" : "in a string";
}

function isUnknown(node: ts.Identifier | ts.PrivateIdentifier, checker: ts.TypeChecker): boolean {
  const { parent } = node;
  const isImported = ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent);
  const found = checker.getSymbolAtLocation(node);
  if (!isImported) return !found && !ts.isJsxAttribute(parent);
  // What an installed package exports is its own, whether it is at hand or not.
  const { moduleSpecifier } = ts.isImportSpecifier(parent) ? parent.parent.parent.parent : parent.parent.parent;
  const isForeign = moduleSpecifier && ts.isStringLiteral(moduleSpecifier) && !/^[.#]/.test(moduleSpecifier.text);
  if (isForeign || !found || (found.flags & ts.SymbolFlags.Alias) === 0) return !found && !isForeign;
  return checker.getAliasedSymbol(found).declarations === undefined;
}
