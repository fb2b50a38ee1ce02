import ts from "@typescript/typescript6";
import { folderOf, isInstalled } from "./program-files.ts";
import { type ProgramTree, toAbsolute, toRepository } from "./program-tree.ts";

/**
 * The projects of a repository by its `tsconfig` and `jsconfig` files. No plugin that they name is ever loaded. A file
 * that others only extend is no project, and an empty one stands for those it refers to.
 */
export interface Project {
  /** Repository path of its settings; undefined for files that no project holds. */
  config: string | undefined;
  options: ts.CompilerOptions;
  /** As the compiler names them. */
  fileNames: readonly string[];
  references: readonly ts.ProjectReference[];
  /** What is wrong with its settings, in words; the compiler goes on with the rest. */
  problems: readonly string[];
}

export interface Projects {
  /** Every project that lists a file. */
  all: readonly Project[];
  /** The settings at a path and, where they refer to others, those too; itself first. Undefined without such a file. */
  from(config: string): readonly Project[] | undefined;
  /** Settings above a path, the nearest first. */
  above(path: string): readonly string[];
  /** As one project: files that no other holds, with the settings nearest to the first of them. */
  loose(paths: readonly string[]): Project;
  parsed(absolute: string): ts.ParsedCommandLine | undefined;
}

const namedByTools = /(?:^|\/)[jt]sconfig\.json$/;
const namedByPeople = /(?:^|\/)[jt]sconfig\.[^/]+\.json$/;

export function readProjects(tree: ProgramTree): Projects {
  const parse = parser(tree);
  const configs = tree.files.paths.filter((path) => namedByTools.test(path) && !isInstalled(path));
  const variants = tree.files.paths.filter((path) => namedByPeople.test(path) && !isInstalled(path));
  const extended = new Set([...configs, ...variants].flatMap((path) => parse(path)?.bases ?? []));
  const seeds = [...configs, ...variants.filter((path) => !extended.has(path))];
  const reached = closure(seeds, parse);
  return {
    all: reached.filter((project) => project.fileNames.length > 0),
    from: (config) => (tree.files.has(config) ? closure([config], parse) : undefined),
    above: (path) => foldersAbove(path).flatMap((folder) => configsIn(folder, tree)),
    loose: (paths) => looseProject(paths, tree, parse),
    parsed: (absolute) => parse(toRepository(absolute) ?? "")?.parsed,
  };
}

interface Parsed {
  project: Project;
  parsed: ts.ParsedCommandLine;
  bases: string[];
}

function parser(tree: ProgramTree): (config: string) => Parsed | undefined {
  const known = new Map<string, Parsed | undefined>();
  return (config) => {
    if (!known.has(config)) known.set(config, tree.files.has(config) ? parseOne(config, tree) : undefined);
    return known.get(config);
  };
}

function parseOne(config: string, tree: ProgramTree): Parsed {
  const absolute = toAbsolute(config);
  const source = ts.readJsonConfigFile(absolute, (path) => tree.readFile(path));
  const folder = toAbsolute(folderOf(config));
  const syntax = ts.parseConfigFileTextToJson(absolute, source.text).error ?? [];
  const parsed = ts.parseJsonSourceFileConfigFileContent(source, tree, folder, undefined, absolute);
  // Not by a copy: the file they came from is a hidden property of these options, and the service wants it.
  const { options } = parsed;
  delete options.plugins;
  const project = {
    config,
    options,
    fileNames: parsed.fileNames,
    references: parsed.projectReferences ?? [],
    problems: [syntax, ...parsed.errors]
      .flat()
      .filter((error) => !emptyProject.has(error.code))
      .map(wordsOf),
  };
  return {
    project,
    parsed,
    bases: (source.extendedSourceFiles ?? []).flatMap(repositoryPaths),
  };
}

/** An empty "files", and patterns that match nothing: no mistake where there are references. */
const emptyProject: ReadonlySet<number> = new Set([18002, 18003]);

export function wordsOf({ messageText }: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(messageText, " ");
}

function repositoryPaths(absolute: string): string[] {
  const path = toRepository(absolute);
  return path === undefined ? [] : [path];
}

function closure(seeds: readonly string[], parse: (config: string) => Parsed | undefined): Project[] {
  const found = new Map<string, Project>();
  const pending = [...seeds].reverse();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const parsed = found.has(next) ? undefined : parse(next);
    if (!parsed) continue;
    found.set(next, parsed.project);
    const referred = parsed.project.references.map((each) => ts.resolveProjectReferencePath(each));
    pending.push(...referred.flatMap(repositoryPaths).reverse());
  }
  return [...found.values()];
}

/** "" is the top. */
function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let folder = folderOf(path); folder !== ""; folder = folderOf(folder)) folders.push(folder);
  return [...folders, ""];
}

function configsIn(folder: string, tree: ProgramTree): string[] {
  const names = tree.files.entries(folder).files;
  const found = ["tsconfig.json", "jsconfig.json"].filter((name) => names.includes(name));
  return found.map((name) => (folder === "" ? name : `${folder}/${name}`));
}

function looseProject(
  paths: readonly string[],
  tree: ProgramTree,
  parse: (config: string) => Parsed | undefined,
): Project {
  const nearest = foldersAbove(paths[0] ?? "").flatMap((folder) => configsIn(folder, tree))[0];
  const near = nearest === undefined ? undefined : parse(nearest)?.project.options;
  const { configFile: _, composite: __, incremental: ___, ...inherited } = near ?? looseOptions;
  const options = { ...inherited, allowJs: true, noEmit: true };
  return { config: undefined, options, fileNames: paths.map(toAbsolute), references: [], problems: [] };
}

const looseOptions: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ESNext,
  jsx: ts.JsxEmit.Preserve,
  allowImportingTsExtensions: true,
  experimentalDecorators: true,
  resolveJsonModule: true,
};
