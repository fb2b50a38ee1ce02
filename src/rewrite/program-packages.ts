import { folderOf, isInstalled, type RepositoryFiles } from "./program-files.ts";

/**
 * The packages of one repository that import each other by name. A package manager links them below `node_modules`,
 * which no tree holds; without these links callers in other packages would be missed in silence.
 */
export interface PackageLinks {
  /** The repository path behind a path below the top `node_modules`; any other path as it is. */
  follow(path: string): string;
  /** A folder that only the links make. */
  isFolder(path: string): boolean;
  /** Source files that an import of one of these packages may mean when what it publishes is not in the tree. */
  candidates(specifier: string): string[];
}

interface Package {
  name: string;
  folder: string;
  manifest: Readonly<Record<string, unknown>>;
}

export function packageLinks(files: RepositoryFiles): PackageLinks {
  const packages = new Map(packagesOf(files).map((each) => [each.name, each]));
  const scopes = new Set([...packages.keys()].map((name) => `node_modules/${folderOf(name)}`.replace(/\/$/, "")));
  return {
    follow(path) {
      const found = /^node_modules\/((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(path);
      const linked = found?.[1] === undefined ? undefined : packages.get(found[1]);
      if (!linked || files.hasFolder(`node_modules/${linked.name}`)) return path;
      return linked.folder === "" ? (found?.[2] ?? "").slice(1) : `${linked.folder}${found?.[2] ?? ""}`;
    },
    isFolder: (path) => scopes.has(path),
    candidates(specifier) {
      const [, name, rest = ""] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
      const linked = name === undefined ? undefined : packages.get(name);
      if (!linked) return [];
      const inFolder = (path: string) => (linked.folder === "" ? path : `${linked.folder}/${path}`);
      return targetsOf(linked.manifest, rest).flatMap(sourcesOf).map(inFolder).filter(files.has);
    },
  };
}

function packagesOf(files: RepositoryFiles): Package[] {
  const manifests = files.paths.filter((path) => /(?:^|\/)package\.json$/.test(path) && !isInstalled(path));
  return manifests.flatMap((path) => {
    const manifest = parseRecord(files.text(path));
    const name = manifest?.name;
    return manifest && typeof name === "string" && name !== "" ? [{ name, folder: folderOf(path), manifest }] : [];
  });
}

function parseRecord(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse((text ?? "").replace(/^\uFEFF/, ""));
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    // A manifest that no package manager could read names no package either.
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a manifest publishes under `.` (rest "") or `./x` (rest "/x"), every condition of it. */
function targetsOf(manifest: Readonly<Record<string, unknown>>, rest: string): string[] {
  const { exports } = manifest;
  const asked = `.${rest}`;
  if (exports !== undefined && exports !== null) {
    const isMap = isRecord(exports) && Object.keys(exports).some((key) => key.startsWith("."));
    const map = isMap ? exports : { ".": exports };
    const found = Object.entries(map).flatMap(([key, value]) => {
      const star = starOf(key, asked);
      return star === undefined ? [] : textsIn(value).map((target) => target.replaceAll("*", star));
    });
    if (found.length > 0) return found;
  }
  if (rest !== "") return [rest.slice(1)];
  const { source, types, typings, module, main } = manifest;
  return [...textsIn([source, types, typings, module, main]), "index"];
}

function starOf(key: string, asked: string): string | undefined {
  if (key === asked) return "";
  const [before, after] = key.split("*");
  if (before === undefined || after === undefined) return undefined;
  if (!asked.startsWith(before) || !asked.endsWith(after) || asked.length < before.length + after.length)
    return undefined;
  return asked.slice(before.length, asked.length - after.length);
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : [];
}

const extensions = [".ts", ".tsx", ".mts", ".cts", ".d.ts", ".js", ".jsx", ".mjs", ".cjs"];

/** `dist/esm/a.js` is made of `dist/esm/a.ts`, `src/esm/a.ts`, `src/a.ts` or `a.ts`: the first that is there. */
function sourcesOf(target: string): string[] {
  const steps = target
    .replace(/^\.\//, "")
    .replace(/\.(?:d\.[cm]?ts|[cm]?[jt]s|[jt]sx)$/, "")
    .split("/");
  const stems = [steps.join("/")];
  for (let cut = 0; cut <= Math.min(2, steps.length - 1); cut++) {
    const left = steps.slice(cut).join("/");
    stems.push(`src/${left}`, left);
  }
  return [...new Set(stems)]
    .flatMap((stem) => [stem, `${stem}/index`])
    .flatMap((stem) => extensions.map((end) => stem + end));
}
