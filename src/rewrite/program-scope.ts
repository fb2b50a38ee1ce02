import { isInstalled, type RepositoryFiles } from "./program-files.ts";
import type { Project, Projects } from "./program-projects.ts";
import type { ProgramView } from "./program-recipe.ts";
import type { OpenProject, Services } from "./program-service.ts";
import { toAbsolute, toRepository } from "./program-tree.ts";

/**
 * Which projects a change of one file is about: those that hold it, and every source anywhere that mentions it. A
 * source that no project holds (tests that are built otherwise, scripts) is opened with the settings nearest to it.
 */
export const isSource = (path: string): boolean => /\.(?:[cm]?[jt]s|[jt]sx)$/.test(path) && !isInstalled(path);

/** The sources whose bytes hold this text. */
export async function sourcesWith(text: string, files: RepositoryFiles): Promise<string[]> {
  const found: string[] = [];
  for (const [index, path] of files.paths.entries()) {
    if (index % filesPerBreath === 0) await files.breathe();
    if (isSource(path) && Buffer.from(files.bytes(path) ?? []).includes(text)) found.push(path);
  }
  return found;
}

/** Files between two looks at the event loop. */
const filesPerBreath = 200;

/** The project that holds `file`: the one asked for, or those above it, or any. Opens it. */
export async function openHome(
  file: string,
  wanted: { tsconfig: string | undefined; files: RepositoryFiles },
  { projects, services }: { projects: Projects; services: Services },
): Promise<OpenProject | { refused: string }> {
  const { tsconfig, files } = wanted;
  if (tsconfig !== undefined) return openNamed(tsconfig, file, { projects, services });
  const chains = projects.above(file).flatMap((config) => [projects.from(config) ?? []]);
  for (const chain of chains) {
    await files.breathe();
    const home = homeAmong(chain, file, services);
    if (home) return home;
  }
  const other = projects.all.find((project) => project.fileNames.includes(toAbsolute(file)));
  if (other) return services.open(other);
  const [nearest = []] = chains;
  const isEmpty = nearest[0]?.fileNames.length === 0;
  return isEmpty ? { refused: notHeld(file, nearest) } : services.open(projects.loose([file]));
}

function openNamed(
  tsconfig: string,
  file: string,
  { projects, services }: { projects: Projects; services: Services },
): OpenProject | { refused: string } {
  const chain = projects.from(tsconfig);
  if (!chain) return { refused: `there is no ${quoted(tsconfig)} in the repository` };
  const [problem] = chain[0]?.problems ?? [];
  if (problem !== undefined) return { refused: `${tsconfig}: ${problem}` };
  return homeAmong(chain, file, services) ?? { refused: notHeld(file, chain) };
}

/** Listed first; a project may also hold a file only because one of its files imports it. */
function homeAmong(chain: readonly Project[], file: string, services: Services): OpenProject | undefined {
  const listed = chain.find((project) => project.fileNames.includes(toAbsolute(file)));
  if (listed) return services.open(listed);
  const full = chain.filter((project) => project.fileNames.length > 0);
  return full.map((project) => services.open(project)).find((open) => open.source(file) !== undefined);
}

function notHeld(file: string, chain: readonly Project[]): string {
  const [first, ...referred] = chain;
  const among = referred.length > 0 ? `, nor any of the ${referred.length} it refers to (${namesOf(referred)})` : "";
  const counts = chain.reduce((sum, project) => sum + project.fileNames.length, 0);
  return `${quoted(first?.config ?? "")} does not hold ${quoted(file)}${among}; together they hold ${counts} files: name the tsconfig that includes it, or let this one include it`;
}

function namesOf(projects: readonly Project[]): string {
  const names = projects.slice(0, 5).map((project) => project.config ?? "");
  return names.join(", ") + (projects.length > names.length ? ", ..." : "");
}

export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Opens every project that lists one of these sources, and loose ones for those that none then holds. */
export async function openAround(
  mentioning: readonly string[],
  files: RepositoryFiles,
  { projects, services }: { projects: Projects; services: Services },
): Promise<void> {
  const wanted = new Set(mentioning.map(toAbsolute));
  for (const project of projects.all) {
    if (!project.fileNames.some((name) => wanted.has(name))) continue;
    await files.breathe();
    services.open(project).program();
  }
  const nearest = (path: string) => projects.above(path)[0] ?? "";
  const groups = new Map<string, string[]>();
  for (const path of mentioning) {
    if (services.opened().some((open) => open.source(path))) continue;
    const near = nearest(path);
    groups.set(near, [...(groups.get(near) ?? []), path]);
  }
  for (const [near, group] of groups) {
    await files.breathe();
    // Scripts see each other's globals, so that a loose home is read together with those around it.
    const loose = services.opened().filter(({ project }) => project.config === undefined);
    const beside = loose.flatMap(({ project }) => project.fileNames.flatMap((name) => toRepository(name) ?? []));
    const own = beside.filter((path) => nearest(path) === near);
    services.open(projects.loose([...group, ...own])).program();
  }
}

/** Why a task cannot do what one file is at the heart of. */
export function notMine(file: string, { files }: ProgramView): string {
  return `${quoted(file)} is not among the ${files.length} files of this task: check the path, and let one task have the whole repository (split: none)`;
}
