import ts from "@typescript/typescript6";
import type { Project, Projects } from "./program-projects.ts";
import { libraryFolder, type ProgramTree, toAbsolute, toRepository } from "./program-tree.ts";

/**
 * One project, open in the language service. It sees only the tree it was given; `show` gives it another one of the
 * same files, with other texts.
 */
export interface OpenProject {
  project: Project;
  service: ts.LanguageService;
  program(): ts.Program;
  /** The compiler's reading of a repository file; undefined where the project does not hold it. */
  source(path: string): ts.SourceFile | undefined;
  /** The repository file that a module name in one of its sources leads to. */
  resolve(source: ts.SourceFile, literal: ts.StringLiteralLike): string | undefined;
  /** What it reads of a file, by the compiler's name for it. */
  text(absolute: string): string | undefined;
  show(tree: ProgramTree): void;
}

export interface Services {
  open(project: Project): OpenProject;
  /** Those that are open already, in the order they were opened. */
  opened(): readonly OpenProject[];
  show(tree: ProgramTree): void;
  close(): void;
}

export function openServices(tree: ProgramTree, projects: Projects): Services {
  const registry = ts.createDocumentRegistry(true, tree.getCurrentDirectory());
  const open = new Map<Project, OpenProject>();
  return {
    open(project) {
      const known = open.get(project);
      if (known) return known;
      const made = openProject(project, { tree, projects, registry });
      open.set(project, made);
      return made;
    },
    opened: () => [...open.values()],
    show: (next) => {
      for (const each of open.values()) each.show(next);
    },
    close() {
      for (const { service } of open.values()) service.dispose();
      open.clear();
    },
  };
}

interface Around {
  tree: ProgramTree;
  projects: Projects;
  registry: ts.DocumentRegistry;
}

function openProject(project: Project, around: Around): OpenProject {
  let { tree } = around;
  let generation = 0;
  const service = ts.createLanguageService(
    hostOf(project, around, { tree: () => tree, generation: () => generation }),
    around.registry,
  );
  const program = (): ts.Program => {
    tree.files.alive();
    const made = service.getProgram();
    if (!made) throw new Error("the language service gave no program");
    return made;
  };
  return {
    project,
    service,
    program,
    source: (path) => program().getSourceFile(toAbsolute(path)),
    resolve(source, literal) {
      const found = resolve(literal, source, { options: project.options, tree });
      return found.resolvedModule && toRepository(tree.realpath(found.resolvedModule.resolvedFileName));
    },
    text: (absolute) => tree.readFile(absolute),
    show(next) {
      tree = next;
      generation++;
    },
  };
}

function hostOf(
  project: Project,
  { projects }: Around,
  now: { tree: () => ProgramTree; generation: () => number },
): ts.LanguageServiceHost & { useSourceOfProjectReferenceRedirect(): boolean } {
  const { tree } = now;
  const text = (path: string) => {
    tree().files.alive();
    return tree().readFile(path);
  };
  return {
    getCompilationSettings: () => project.options,
    getScriptFileNames: () => [...project.fileNames],
    getProjectVersion: () => `${now.generation()}`,
    getScriptVersion: (path) => tree().files.version(toRepository(path) ?? ""),
    getScriptSnapshot(path) {
      const found = text(path);
      return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found);
    },
    getCurrentDirectory: () => tree().getCurrentDirectory(),
    getDefaultLibFileName: (options) => `${libraryFolder}/${ts.getDefaultLibFileName(options)}`,
    useCaseSensitiveFileNames: () => true,
    getProjectReferences: () => project.references,
    // Callers in one project of what another declares are found in the sources, built or not.
    useSourceOfProjectReferenceRedirect: () => true,
    getParsedCommandLine: (path) => projects.parsed(path),
    fileExists: (path) => tree().fileExists(path),
    readFile: text,
    readDirectory: (...args) => tree().readDirectory(...args),
    directoryExists: (path) => tree().directoryExists(path),
    getDirectories: (path) => tree().getDirectories(path),
    realpath: (path) => tree().realpath(path),
    resolveModuleNameLiterals: resolverOf(tree),
    getCancellationToken: () => ({
      isCancellationRequested() {
        tree().files.alive();
        return false;
      },
    }),
  };
}

function resolverOf(tree: () => ProgramTree): NonNullable<ts.LanguageServiceHost["resolveModuleNameLiterals"]> {
  return (literals, _containing, redirected, options, source) =>
    literals.map((literal) => resolve(literal, source, { options, redirected, tree: tree() }));
}

interface Resolving {
  options: ts.CompilerOptions;
  redirected?: ts.ResolvedProjectReference | undefined;
  tree: ProgramTree;
}

/**
 * As TypeScript resolves; but a package of the same repository is its sources, whether what it publishes is not built
 * yet or was committed too.
 */
function resolve(
  literal: ts.StringLiteralLike,
  source: ts.SourceFile,
  { options, redirected, tree }: Resolving,
): ts.ResolvedModuleWithFailedLookupLocations {
  const mode = ts.getModeForUsageLocation(source, literal, options);
  const found = ts.resolveModuleName(literal.text, source.fileName, options, tree, undefined, redirected, mode);
  const resolved = found.resolvedModule?.resolvedFileName;
  if (/^[./#]/.test(literal.text) || (resolved !== undefined && !isBuilt(resolved))) return found;
  const candidates = tree.links.candidates(literal.text);
  const candidate = candidates.find((path) => !isBuilt(path)) ?? (resolved === undefined ? candidates[0] : undefined);
  return candidate === undefined ? found : { ...found, resolvedModule: asResolved(candidate) };
}

function isBuilt(path: string): boolean {
  return /\.d\.[cm]?ts$|\.[cm]?jsx?$/.test(path);
}

function asResolved(path: string): ts.ResolvedModuleFull {
  const extension = /\.(?:d\.[cm]?ts|[cm]?[jt]s|[jt]sx)$/.exec(path)?.[0] ?? ts.Extension.Ts;
  return { resolvedFileName: toAbsolute(path), extension, isExternalLibraryImport: false };
}
