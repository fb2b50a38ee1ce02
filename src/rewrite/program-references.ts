import ts from "@typescript/typescript6";
import { commonJsUses } from "./program-common-js.ts";
import { isInstalled } from "./program-files.ts";
import { declarationsOf, identifiersNamed, nodeAt, placeOf } from "./program-nodes.ts";
import { quoted } from "./program-scope.ts";
import type { OpenProject } from "./program-service.ts";
import { toAbsolute, toRepository } from "./program-tree.ts";

/**
 * Every place that has to change with a name. Imports and exports are followed, so that no alias is left; the
 * properties of objects are other names and keep theirs (`{ getUser: fetchUser }`).
 */
export interface Place {
  path: string;
  /** UTF-16 index of the name. */
  start: number;
  length: number;
  /** What keeps an outside name: `getUser: ` before it, or ` as getUser` behind it. */
  prefix: string;
  suffix: string;
  /** It has the new name already, and stays as it is. */
  isNamedSo?: boolean;
  /** It lies inside another place, and goes with it. */
  isInside?: boolean;
}

export interface Start {
  path: string;
  at: number;
  /** A name that is as the new one, and is now the same thing. */
  isNamedSo?: boolean;
}

export interface Following {
  /** The new name. */
  to: string;
  /** Locals that are taken out of an object by this name get the new one too. */
  isDestructuredToo: boolean;
}

export type References = { places: ReadonlyMap<string, Place> } | { refused: string };

export function keyOf({ path, start }: { path: string; start: number }): string {
  return `${path}\0${start}`;
}

/** In all of these projects; what one finds is followed in the others. */
export async function collectReferences(
  start: Start,
  projects: readonly OpenProject[],
  { following, breathe }: { following: Following; breathe: () => Promise<void> },
): Promise<References> {
  const places: Places = new Map();
  const asked = new Set<string>();
  const pending: Start[] = [start];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const key = keyOf({ path: next.path, start: next.at });
    if (asked.has(key)) continue;
    asked.add(key);
    for (const project of projects) {
      await breathe();
      const found = collectIn(next, places, { project, projects, following });
      if ("refused" in found) return found;
      pending.push(...found.goOn);
    }
  }
  for (const project of projects) {
    await breathe();
    for (const missed of missedIn(project, places)) take(missed, places);
  }
  return { places };
}

/**
 * Uses that the language service passes over although their declarations are among the places: it does so where a
 * module is augmented, and the augmented symbol and the one it comes from are not told to be the same.
 */
function missedIn(project: OpenProject, places: ReadonlyMap<string, Place>): Place[] {
  const program = project.program();
  const checker = program.getTypeChecker();
  const names = new Set([...places.values()].flatMap((place) => nameAt(place, project)));
  const isDeclaredHere = (node: ts.Node) => {
    const name = ts.isDeclarationStatement(node) || isNamed(node) ? ts.getNameOfDeclaration(node) : undefined;
    const place = name && ts.isIdentifier(name) ? places.get(keyOf(placeOf(name))) : undefined;
    return place !== undefined && place.prefix === "" && place.suffix === "";
  };
  const used = [...names].flatMap((name) =>
    program.getSourceFiles().flatMap((source) => identifiersNamed(name, source)),
  );
  return used
    .filter((node) => isUse(node) && !places.has(keyOf(placeOf(node))))
    .filter((node) => declarationsOf(checker.getSymbolAtLocation(node), checker).some(isDeclaredHere))
    .map(placeOf);
}

function nameAt({ path, start, isNamedSo, isInside }: Place, project: OpenProject): string[] {
  const node = isNamedSo || isInside ? undefined : nodeAt(project.source(path), start);
  return node && ts.isIdentifier(node) ? [node.text] : [];
}

function isNamed(node: ts.Node): node is ts.NamedDeclaration {
  return "name" in node;
}

function isUse({ parent }: ts.Identifier): boolean {
  return ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent);
}

function collectIn(start: Start, places: Places, around: Around): { goOn: Start[] } | { refused: string } {
  const found = locationsOf(start, around.project);
  if ("refused" in found) return found;
  return { goOn: found.flatMap((place) => (start.isNamedSo ? take(place, places) : keep(place, places, around))) };
}

function locationsOf(start: Start, project: OpenProject): Place[] | { refused: string } {
  if (!project.source(start.path)) return [];
  const preferences = { providePrefixAndSuffixTextForRename: true };
  const found = project.service.findRenameLocations(toAbsolute(start.path), start.at, false, false, preferences) ?? [];
  const foreign = found.find(({ fileName }) => isForeign(fileName));
  if (foreign)
    return { refused: `it is declared in ${ownerOf(foreign.fileName)} too, which is not this repository's to change` };
  return found.map(({ fileName, textSpan: { start: at, length }, prefixText = "", suffixText = "" }) => {
    const place = { path: toRepository(fileName) ?? "", start: at, length, prefix: prefixText, suffix: suffixText };
    return start.isNamedSo ? { ...place, prefix: "", suffix: "", isNamedSo: true } : place;
  });
}

function isForeign(fileName: string): boolean {
  const path = toRepository(fileName);
  return path === undefined || isInstalled(path);
}

function ownerOf(fileName: string): string {
  return quoted(toRepository(fileName) ?? `TypeScript's own ${fileName.slice(fileName.lastIndexOf("/") + 1)}`);
}

interface Around {
  project: OpenProject;
  projects: readonly OpenProject[];
  following: Following;
}

type Places = Map<string, Place>;

/** The first that is said of a place holds. */
function take(place: Place, places: Places): Start[] {
  if (!places.has(keyOf(place))) places.set(keyOf(place), place);
  return [];
}

/** Takes a place in, and answers where to go on from there. */
function keep(place: Place, places: Places, around: Around): Start[] {
  const parent = nodeAt(around.project.source(place.path), place.start)?.parent;
  if (place.prefix === "" && place.suffix === "")
    return keepPlain(place, parent, { places, following: around.following });
  if (parent && isFollowed(parent, place, around.following)) {
    places.set(keyOf(place), { ...place, prefix: "", suffix: "" });
    return [{ path: place.path, at: place.start }];
  }
  if (parent && ts.isShorthandPropertyAssignment(parent) && place.prefix !== "" && isCommonJsExport(parent)) {
    return keepExported(place, parent, { places, projects: around.projects });
  }
  const known = places.get(keyOf(place));
  const isOtherSide = known && (known.prefix !== place.prefix || known.suffix !== place.suffix);
  // Both sides of `{ name }` changing their name leave it as short as it was.
  places.set(keyOf(place), isOtherSide ? { ...place, prefix: "", suffix: "" } : place);
  return [];
}

/** `a as b` is `b` where b is the new name; what had that name already then belongs to the same thing. */
function keepPlain(
  place: Place,
  parent: ts.Node | undefined,
  { places, following }: { places: Places; following: Following },
): Start[] {
  const isSpecifier = parent && (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent));
  const isAliased = isSpecifier && parent.propertyName?.getStart() === place.start;
  if (!isAliased || parent.name.text !== following.to) return take(place, places);
  const at = parent.name.getStart();
  take({ ...place, length: parent.name.end - place.start }, places);
  places.set(keyOf({ path: place.path, start: at }), { ...place, start: at, isInside: true });
  return [{ path: place.path, at, isNamedSo: true }];
}

function keepExported(
  place: Place,
  parent: ts.ShorthandPropertyAssignment,
  { places, projects }: { places: Places; projects: readonly OpenProject[] },
): Start[] {
  if (places.has(keyOf(place))) return [];
  take({ ...place, prefix: "", suffix: "" }, places);
  const uses = commonJsUses(parent, projects);
  for (const use of uses.places) take(use, places);
  return uses.goOn;
}

function isFollowed(parent: ts.Node, { suffix }: Place, { isDestructuredToo }: Following): boolean {
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return true;
  return ts.isBindingElement(parent) && suffix !== "" && isDestructuredToo;
}

/** `module.exports = { name }` */
function isCommonJsExport(node: ts.ShorthandPropertyAssignment): boolean {
  const assignment = node.parent.parent;
  return ts.isBinaryExpression(assignment) && /^(?:module\.exports|exports)$/.test(assignment.left.getText());
}
