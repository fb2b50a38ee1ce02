import { folderOf } from "./folders.ts";
import { layouts } from "./layouts.ts";
import type { Manifest } from "./manifest.ts";

/**
 * The packages of a repository by its manifests: folder ("" is the repository's own) to name, where the manifest says
 * one. Where a workspace declares its members, its word holds for all below it; elsewhere every manifest is a package,
 * except among fixtures and other people's code. Throws Fault `job_file` where the outermost manifest cannot be read.
 */
export function findPackages(texts: ReadonlyMap<string, string>): ReadonlyMap<string, string | undefined> {
  const packages = new Map<string, string | undefined>();
  for (const layout of layouts) {
    const manifests = new Map<string, Manifest>();
    for (const [path, text] of texts) {
      if (!layout.isManifest(path)) continue;
      const folder = folderOf(path);
      manifests.set(folder, merged(manifests.get(folder), layout.read(path, text)));
    }
    for (const [folder, name] of packagesAmong(manifests)) packages.set(folder, packages.get(folder) ?? name);
  }
  return packages;
}

/** Whether the text of that file matters to `findPackages`. */
export function isManifest(path: string): boolean {
  return layouts.some((layout) => layout.isManifest(path));
}

function merged(one: Manifest | undefined, other: Manifest): Manifest {
  if (!one) return other;
  const name = one.name ?? other.name;
  const { hasMember: first } = one;
  const { hasMember: second } = other;
  const hasMember = first && second ? (folder: string) => first(folder) || second(folder) : (first ?? second);
  return {
    isPackage: one.isPackage || other.isPackage,
    ...(name === undefined ? {} : { name }),
    ...(hasMember ? { hasMember } : {}),
    links: [...(one.links ?? []), ...(other.links ?? [])],
  };
}

function packagesAmong(manifests: ReadonlyMap<string, Manifest>): Map<string, string | undefined> {
  const linked = linkedFrom(manifests);
  const packages = new Map<string, string | undefined>();
  for (const [folder, manifest] of manifests) {
    if (!manifest.isPackage && manifest.hasMember === undefined) continue;
    if (isOwnPackage(folder, manifests, linked)) packages.set(folder, manifest.name);
  }
  return packages;
}

function isOwnPackage(folder: string, manifests: ReadonlyMap<string, Manifest>, linked: ReadonlySet<string>): boolean {
  const roots = above(folder).flatMap((root) => {
    const hasMember = manifests.get(root)?.hasMember;
    return hasMember ? [{ root, hasMember }] : [];
  });
  if (roots.length === 0) return manifests.get(folder)?.hasMember !== undefined || !isForeign(folder);
  return roots.some(({ root, hasMember }) => hasMember(relativeTo(root, folder))) || linked.has(folder);
}

/** Folders that members of a workspace name as part of it, and what those name in turn. */
function linkedFrom(manifests: ReadonlyMap<string, Manifest>): ReadonlySet<string> {
  const linked = new Set<string>();
  for (const [root, { hasMember }] of manifests) {
    if (!hasMember) continue;
    const isMember = (folder: string) => isBelow(folder, root) && hasMember(relativeTo(root, folder));
    const pending = [root, ...[...manifests.keys()].filter(isMember)].flatMap((folder) => linksOf(folder, manifests));
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      if (linked.has(folder) || !isBelow(folder, root)) continue;
      linked.add(folder);
      pending.push(...linksOf(folder, manifests));
    }
  }
  return linked;
}

function linksOf(folder: string, manifests: ReadonlyMap<string, Manifest>): string[] {
  return (manifests.get(folder)?.links ?? []).map((link) => join(folder, link));
}

function above(folder: string): string[] {
  const names = folder === "" ? [] : folder.split("/");
  return names.map((_, index) => names.slice(0, index).join("/"));
}

function isBelow(folder: string, root: string): boolean {
  return root === "" ? folder !== "" : folder.startsWith(`${root}/`);
}

function relativeTo(root: string, folder: string): string {
  return root === "" ? folder : folder.slice(root.length + 1);
}

/** Joined without leaving the repository: what leads out names nothing in it. */
function join(folder: string, link: string): string {
  const names = folder === "" ? [] : folder.split("/");
  for (const name of link.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names.join("/");
}

/** Manifests in such folders are somebody else's, or data of a test. */
function isForeign(folder: string): boolean {
  return folder.split("/").some((name) => foreign.has(name));
}

const foreign: ReadonlySet<string> = new Set([
  "node_modules",
  "vendor",
  "third_party",
  "testdata",
  "fixtures",
  "__fixtures__",
  "__mocks__",
]);
