import { isBuiltin } from "./common-js-loads.ts";
import { folderOf, type RepositoryFiles } from "./program-files.ts";
import { besides, relativePath } from "./program-specifiers.ts";

/** What a text that is loaded stands for in the repository, as Node would find it for `require`. */
export type Target =
  | { kind: "builtin" }
  /** A package that is not of this repository. */
  | { kind: "package" }
  /** `specifier` is how an import has to name it: with its ending, and without folders. */
  | { kind: "file"; path: string; specifier: string }
  | { kind: "unknown"; reason: string };

export function targetOf(
  specifier: string,
  from: string,
  files: RepositoryFiles,
  packages: ReadonlySet<string>,
): Target {
  if (isBuiltin(specifier)) return { kind: "builtin" };
  if (!/^\.{1,2}(?:\/|$)/.test(specifier)) return bare(specifier, packages);
  const written = besides(from, specifier);
  const path = written === undefined ? undefined : fileAt(written, specifier, files);
  if (path === undefined)
    return { kind: "unknown", reason: "it is not in the repository, or is found by its package.json" };
  return { kind: "file", path, specifier: path === written ? specifier : relativePath(folderOf(from), path) };
}

function bare(specifier: string, packages: ReadonlySet<string>): Target {
  if (/^[#/]/.test(specifier) || /^[a-z]:/i.test(specifier)) {
    return { kind: "unknown", reason: "where it leads is decided elsewhere" };
  }
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  if (packages.has(name))
    return { kind: "unknown", reason: "it is a package of this repository, which may change too" };
  if (specifier !== name && !/\.(?:js|cjs|mjs)$/.test(specifier)) {
    return { kind: "unknown", reason: "only the package knows whether an import finds this path without its ending" };
  }
  return { kind: "package" };
}

function fileAt(written: string, specifier: string, files: RepositoryFiles): string | undefined {
  const isFolder = /(?:^|\/)\.{0,2}\/?$/.test(specifier) || specifier.endsWith("/");
  const whole = isFolder ? [] : [written, ...[".js", ".json", ".node"].map((ending) => written + ending)];
  const found = whole.find((path) => files.has(path));
  if (found !== undefined || files.has(beneath(written, "package.json"))) return found;
  return ["index.js", "index.json"].map((name) => beneath(written, name)).find((path) => files.has(path));
}

function beneath(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** The package.json that decides about a file, and whether by it `.js` means an ES module. */
export function manifestOf(path: string, files: RepositoryFiles): { path: string; isModule: boolean } | undefined {
  for (let folder = folderOf(path); ; folder = folderOf(folder)) {
    const manifest = beneath(folder, "package.json");
    if (files.has(manifest)) return { path: manifest, isModule: typeOf(files.text(manifest)) === "module" };
    if (folder === "") return undefined;
  }
}

function typeOf(text: string | undefined): unknown {
  return parsed(text)?.type;
}

function parsed(text: string | undefined): { type?: unknown; name?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse((text ?? "").replace(/^\uFEFF/, ""));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // Node would refuse the whole package; nothing of it is called a module.
    return undefined;
  }
}

/** The names of the repository's own packages. */
export function packagesIn(files: RepositoryFiles): ReadonlySet<string> {
  const manifests = files.paths.filter(
    (path) => /(?:^|\/)package\.json$/.test(path) && !path.includes("node_modules/"),
  );
  return new Set(
    manifests.flatMap((path) => {
      const name = parsed(files.text(path))?.name;
      return typeof name === "string" ? [name] : [];
    }),
  );
}
