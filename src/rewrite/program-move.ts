import type { Recipe } from "../protocol/agent.ts";
import { editedFile } from "./program-edits.ts";
import { loadRepositoryFiles, type RepositoryFiles, withChanges } from "./program-files.ts";
import { leftoversOf, type Mention } from "./program-leftovers.ts";
import { astray } from "./program-move-check.ts";
import { type MoveEdits, moveEdits } from "./program-move-edits.ts";
import { packageLinks } from "./program-packages.ts";
import { pathMentions } from "./program-path-mentions.ts";
import { readProjects } from "./program-projects.ts";
import type { EditedFile, MovedFile, ProgramRewrite, ProgramView } from "./program-recipe.ts";
import { isSource, notMine, openAround, openHome, quoted, sourcesWith } from "./program-scope.ts";
import { openServices, type Services } from "./program-service.ts";
import { withoutEnding } from "./program-specifiers.ts";
import { type ProgramTree, programTree } from "./program-tree.ts";
import { applyTextEdits } from "./text-edit.ts";

type MoveFile = Extract<Recipe, { name: "move-file" }>;

/**
 * A file at another place, with everyone who loads it, and whom it loads. It never writes over a file, and never leaves
 * a relative module name that leads elsewhere than before.
 */
export async function moveFile(recipe: MoveFile, view: ProgramView): Promise<ProgramRewrite> {
  if (!view.files.includes(recipe.from)) return { refused: notMine(recipe.from, view) };
  const files = await loadRepositoryFiles(view);
  if ("refused" in files) return files;
  const refused = refusedPlace(recipe, files);
  if (refused !== undefined) return { refused };
  const moved = await view.read(recipe.from);
  if ("refused" in moved) return { refused: `${quoted(recipe.from)} ${moved.refused}` };
  const sources = [...new Set([recipe.from, ...(await loadersOf(recipe.from, files))])].filter(isSource);
  const tree = programTree(files, packageLinks(files));
  const opened = await openAll(recipe, sources, tree);
  if ("refused" in opened) return opened;
  try {
    const projects = opened.services.opened();
    const edits = await moveEdits(recipe, sources, { projects, files });
    const plan = planOf(recipe, edits, { files, isExecutable: moved.isExecutable });
    const mentions = await pathMentions(recipe, edits, { paths: view.files, files });
    return await checked(recipe, plan, { sources, mentions, files, view, services: opened.services });
  } finally {
    opened.services.close();
  }
}

function refusedPlace({ from, to }: MoveFile, files: RepositoryFiles): string | undefined {
  if (files.hasFolder(from)) return `${quoted(from)} is a folder: move its files one by one`;
  if (files.has(to)) return `${quoted(to)} is there already: choose another path, or remove it first`;
  if (files.hasFolder(to))
    return `${quoted(to)} is a folder: name the file in it, such as ${to}/${from.slice(from.lastIndexOf("/") + 1)}`;
  const steps = to.split("/").slice(0, -1);
  const blocking = steps.map((_, index) => steps.slice(0, index + 1).join("/")).find((path) => files.has(path));
  if (blocking !== undefined) return `${quoted(to)} cannot be made: ${quoted(blocking)} is a file`;
  if (files.text(from) === undefined) return `${quoted(from)} is not text, or larger than 4 MiB`;
  return undefined;
}

/** Sources that may load the file: those that name it, or all where it goes by another name than its own. */
async function loadersOf(from: string, files: RepositoryFiles): Promise<string[]> {
  const stem = withoutEnding(from.slice(from.lastIndexOf("/") + 1));
  const settings = files.paths.filter((path) => /(?:^|\/)(?:package|[jt]sconfig[^/]*)\.json$/.test(path));
  const isAliased = settings.some((path) => namesStem(files.text(path) ?? "", stem));
  return stem === "index" || isAliased ? files.paths.filter(isSource) : sourcesWith(stem, files);
}

function namesStem(text: string, stem: string): boolean {
  return text.split(stem).some((before, index, pieces) => {
    const behind = pieces[index + 1];
    return behind !== undefined && /[/"]$/.test(before) && /^["./]/.test(behind);
  });
}

async function openAll(
  { from, tsconfig }: MoveFile,
  sources: readonly string[],
  tree: ProgramTree,
): Promise<{ services: Services } | { refused: string }> {
  const projects = readProjects(tree);
  const services = openServices(tree, projects);
  if (isSource(from)) {
    const home = await openHome(from, { tsconfig, files: tree.files }, { projects, services });
    if ("refused" in home) {
      services.close();
      return home;
    }
  }
  await openAround(sources, tree.files, { projects, services });
  return { services };
}

interface Plan {
  edited: EditedFile[];
  moved: MovedFile;
}

function planOf(
  { from, to }: MoveFile,
  edits: MoveEdits,
  { files, isExecutable }: { files: RepositoryFiles; isExecutable: boolean },
): Plan {
  const all = [...edits]
    .filter(([, splices]) => splices.length > 0)
    .map(([path, splices]) => editedFile(path, splices, files));
  const own = all.find(({ path }) => path === from);
  const bytes = own ? applyTextEdits(own.bytes, own.edits) : (files.bytes(from) ?? new Uint8Array());
  const edited = all.filter(({ path }) => path !== from).sort((one, other) => (one.path < other.path ? -1 : 1));
  return { edited, moved: { from, to, bytes, isExecutable } };
}

interface Checking {
  sources: readonly string[];
  mentions: readonly Mention[];
  files: RepositoryFiles;
  view: ProgramView;
  services: Services;
}

/** Reads the repository as it would be: every module name has to lead where it led. */
async function checked(recipe: MoveFile, { edited, moved }: Plan, work: Checking): Promise<ProgramRewrite> {
  const { sources, mentions, files, view, services } = work;
  const contents = new Map<string, Uint8Array | undefined>(
    edited.map(({ path, bytes, edits }) => [path, applyTextEdits(bytes, edits)]),
  );
  contents.set(recipe.from, undefined).set(recipe.to, moved.bytes);
  const changed = withChanges(files, contents, view);
  const now = sources.map((path) => (path === recipe.from ? recipe.to : path));
  const tree = programTree(changed, packageLinks(changed));
  const projects = readProjects(tree);
  const after = openServices(tree, projects);
  try {
    await openAround(now, changed, { projects, services: after });
    const lost = astray(sources, recipe, { before: services.opened(), after: after.opened() });
    const wrong = lost.find((each) => each.isRelative);
    if (wrong) return { refused: `${quoted(recipe.from)} cannot be moved: in ${wrong.path}, ${wrong.reason}` };
    const leftovers = [
      ...leftoversOf(
        mentions.map((each) => ({ ...each, path: each.path === recipe.to ? recipe.from : each.path })),
        files,
      ),
      ...leftoversOf(lost, changed),
    ].map((each) => (each.path === recipe.from ? { ...each, path: recipe.to } : each));
    return { edited, moved, leftovers };
  } finally {
    after.close();
  }
}
