import type { Recipe } from "../protocol/agent.ts";
import type { Leftover } from "../protocol/claim.ts";
import { complaintsIn, newComplaints } from "./program-diagnostics.ts";
import { type Renaming, renamingOf } from "./program-edits.ts";
import { loadRepositoryFiles, type RepositoryFiles, withChanges } from "./program-files.ts";
import { foreignNames } from "./program-heritage.ts";
import { leftoversOf, type Mention, mentionsOf } from "./program-leftovers.ts";
import { refusedName } from "./program-names.ts";
import { packageLinks } from "./program-packages.ts";
import { readProjects } from "./program-projects.ts";
import type { ProgramRewrite, ProgramView } from "./program-recipe.ts";
import { collectReferences, type Following, keyOf, type Place, type Start } from "./program-references.ts";
import { notMine, openAround, openHome, quoted, sourcesWith } from "./program-scope.ts";
import { openServices, type Services } from "./program-service.ts";
import { type Declared, findDeclared } from "./program-symbol.ts";
import { type ProgramTree, programTree } from "./program-tree.ts";

type Rename = Extract<Recipe, { name: "rename-symbol" }>;

/**
 * A symbol and everyone who uses it, under a new name. It never leaves an alias behind, and never a name that means
 * something else than before: the changed program is read again, and the same places must belong together.
 */
export async function renameSymbol(recipe: Rename, view: ProgramView): Promise<ProgramRewrite> {
  if (!view.files.includes(recipe.file)) return { refused: notMine(recipe.file, view) };
  const files = await loadRepositoryFiles(view);
  if ("refused" in files) return files;
  const tree = programTree(files, packageLinks(files));
  const projects = readProjects(tree);
  const services = openServices(tree, projects);
  try {
    const home = await openHome(recipe.file, { tsconfig: recipe.tsconfig, files }, { projects, services });
    if ("refused" in home) return home;
    const source = home.source(recipe.file);
    if (!source) return { refused: `${quoted(recipe.file)} is no source that TypeScript reads` };
    const declared = findDeclared(recipe.symbol, source, home.program().getTypeChecker());
    if ("refused" in declared) return declared;
    const refused = refusedName(recipe.to, declared);
    if (refused !== undefined) return { refused };
    const mentioning = await sourcesWith(declared.name, files);
    await openAround(mentioning, files, { projects, services });
    return await renameIn({ recipe, declared, mentioning, files, tree, services, view });
  } finally {
    services.close();
  }
}

interface Work {
  recipe: Rename;
  declared: Declared;
  mentioning: readonly string[];
  files: RepositoryFiles;
  tree: ProgramTree;
  services: Services;
  view: ProgramView;
}

async function renameIn(work: Work): Promise<ProgramRewrite> {
  const first = await attempt(work, { to: work.recipe.to, isDestructuredToo: true });
  if (!("clash" in first)) return first;
  // What is taken out of an object by this name cannot always have the new one as a local.
  const second = await attempt(work, { to: work.recipe.to, isDestructuredToo: false });
  return "clash" in second ? { refused: second.clash } : second;
}

async function attempt(work: Work, following: Following): Promise<ProgramRewrite | { clash: string }> {
  const { recipe, declared, files, services, view } = work;
  const projects = services.opened();
  const start: Start = { path: recipe.file, at: declared.at };
  const found = await collectReferences(start, projects, { following, breathe: () => files.breathe() });
  if ("refused" in found) return { refused: `${quoted(recipe.symbol)} cannot be renamed: ${found.refused}` };
  if (found.places.size === 0) return { refused: `TypeScript does not rename ${quoted(recipe.symbol)}` };
  const foreign = foreignNames(found.places.values(), projects);
  if ("refused" in foreign) return { refused: `${quoted(recipe.symbol)} cannot be renamed: ${foreign.refused}` };
  const renaming = renamingOf(found.places.values(), recipe.to, files);
  const mentions = await mentionsOf(declared.name, { paths: view.files, places: found.places }, { files, projects });
  const judged = await judge(work, { following, start, places: found.places, renaming });
  if ("clash" in judged) return judged;
  return {
    edited: renaming.edited,
    leftovers: [...leftoversOf([...mentions, ...foreign.unknown], files), ...judged.broken],
  };
}

interface Attempt {
  following: Following;
  start: Start;
  places: ReadonlyMap<string, Place>;
  renaming: Renaming;
}

/** Reads the changed program: does the name still mean the same everywhere, and what does not fit any more? */
async function judge(work: Work, made: Attempt): Promise<{ broken: Leftover[] } | { clash: string }> {
  const { recipe, declared, files, services, tree, view } = work;
  const { following, start, places, renaming } = made;
  const projects = services.opened();
  const others = await sourcesWith(recipe.to, files);
  const paths = [...new Set([...renaming.contents.keys(), ...work.mentioning, ...others])];
  const before = await complaintsIn(paths, projects, () => files.breathe());
  const changed = withChanges(files, renaming.contents, view);
  services.show(programTree(changed, tree.links));
  try {
    const at = placeAfter(start, places) + renaming.moved(start.path, start.at);
    const again = await collectReferences({ path: start.path, at }, projects, {
      following,
      breathe: () => files.breathe(),
    });
    if ("refused" in again) return { clash: clashWords(recipe, again.refused) };
    const clash = clashOf(renaming, again.places, changed, recipe);
    if (clash !== undefined) return { clash };
    const after = await complaintsIn(paths, projects, () => files.breathe());
    const complaints = newComplaints(before, after, (message) => message.replaceAll(declared.name, recipe.to));
    const fatal = complaints.find((each) => each.isSyntax || isAboutNames.has(each.code));
    if (fatal) return { clash: clashWords(recipe, `${lineOf(fatal.path, fatal.start, changed)}: ${fatal.message}`) };
    const broken = complaints.map(({ message, ...at }): Mention => ({ ...at, reason: `no longer fits: ${message}` }));
    return { broken: leftoversOf(broken, changed) };
  } finally {
    services.show(tree);
  }
}

/** Duplicate and reserved names, and what hides another. */
const isAboutNames: ReadonlySet<number> = new Set([
  2300, 2395, 2397, 2440, 2451, 2457, 2414, 2427, 2431, 2528, 2567, 2813,
]);

function placeAfter({ path, at }: Start, places: ReadonlyMap<string, Place>): number {
  return places.get(keyOf({ path, start: at }))?.prefix.length ?? 0;
}

/** The places of a name belong together before and after, or it means something else somewhere. */
function clashOf(
  renaming: Renaming,
  again: ReadonlyMap<string, Place>,
  changed: RepositoryFiles,
  recipe: Rename,
): string | undefined {
  const extra = [...again.values()].find((place) => !place.isInside && !renaming.after.has(keyOf(place)));
  if (extra) {
    const at = lineOf(extra.path, extra.start, changed);
    return clashWords(recipe, `${quoted(recipe.to)} at ${at} is another thing now and would become the same`);
  }
  const lost = [...renaming.after].find((key) => !again.has(key));
  if (lost === undefined) return undefined;
  const [path = "", start = "0"] = lost.split("\0");
  return clashWords(recipe, `at ${lineOf(path, Number(start), changed)} it would mean another ${quoted(recipe.to)}`);
}

function clashWords({ symbol, to }: Rename, why: string): string {
  return `${quoted(symbol)} cannot become ${quoted(to)}: ${why}. Choose another name, or rename what has it`;
}

/** Where it would be once changed: as people read it. */
function lineOf(path: string, start: number, files: RepositoryFiles): string {
  const before = (files.text(path) ?? "").slice(0, start);
  return `${path}:${before.split("\n").length}`;
}
