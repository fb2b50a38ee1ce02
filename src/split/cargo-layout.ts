import { readToml } from "../document/read-toml.ts";
import { basenameOf } from "./folders.ts";
import { type Layout, type Manifest, memberTest, readManifest, record, text, texts } from "./manifest.ts";

/** Cargo's `[workspace]`: its members, and what they depend on by a path inside it (The Cargo Book, "Workspaces"). */
export const cargoLayout: Layout = {
  isManifest: (path) => basenameOf(path) === "Cargo.toml",
  read(path, content): Manifest {
    const manifest = record(readManifest(path, () => readToml(content)));
    const { package: own, workspace } = manifest;
    const name = text(record(own).name);
    return {
      isPackage: own !== undefined || workspace === undefined,
      ...(name === undefined ? {} : { name }),
      ...(workspace === undefined ? {} : { hasMember: membersOf(record(workspace)) }),
      links: [
        ...pathsIn(manifest),
        ...pathsIn(record(workspace)),
        ...Object.values(record(manifest.target)).flatMap((one) => pathsIn(record(one))),
      ],
    };
  },
};

function membersOf(workspace: Readonly<Record<string, unknown>>): (folder: string) => boolean {
  const isMember = memberTest(texts(workspace.members));
  const excluded = texts(workspace.exclude).map((path) => path.replace(/^\.\//, "").replace(/\/+$/, ""));
  const isExcluded = (folder: string) => excluded.some((path) => folder === path || folder.startsWith(`${path}/`));
  return (folder) => isMember(folder) && !isExcluded(folder);
}

function pathsIn(table: Readonly<Record<string, unknown>>): string[] {
  const tables = [table.dependencies, table["dev-dependencies"], table["build-dependencies"]];
  return tables.flatMap((one) => Object.values(record(one))).flatMap((one) => text(record(one).path) ?? []);
}
