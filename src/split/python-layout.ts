import { readToml } from "../document/read-toml.ts";
import { basenameOf } from "./folders.ts";
import { type Layout, type Manifest, memberTest, readManifest, record, text, texts } from "./manifest.ts";

/** Python: pyproject.toml (PEP 621, Poetry, a workspace of uv), and the setup.py and setup.cfg of before. */
export const pythonLayout: Layout = {
  isManifest: (path) => ["pyproject.toml", "setup.py", "setup.cfg"].includes(basenameOf(path)),
  read(path, content) {
    switch (basenameOf(path)) {
      case "pyproject.toml":
        return readProject(path, content);
      case "setup.cfg":
        return readSetup(content);
      default:
        return { isPackage: true };
    }
  },
};

/** One that only sets up a linter is no package. */
function readProject(path: string, content: string): Manifest {
  const read = readManifest(path, () => readToml(content));
  const { project, tool, "build-system": build } = record(read);
  const { poetry, uv } = record(tool);
  const { workspace } = record(uv);
  const name = text(record(project).name) ?? text(record(poetry).name);
  const { members, exclude } = record(workspace);
  return {
    isPackage: read === undefined || project !== undefined || poetry !== undefined || build !== undefined,
    ...(name === undefined ? {} : { name }),
    ...(workspace === undefined ? {} : { hasMember: memberTest(texts(members), texts(exclude)) }),
  };
}

/** An INI file: `[metadata]` says that it is more than settings of tools. */
function readSetup(content: string): Manifest {
  const [, metadata] = /^\[metadata\][ \t]*\r?\n([^[]*)/m.exec(content) ?? [];
  const name = text(/^name[ \t]*[=:][ \t]*(.+)$/m.exec(metadata ?? "")?.[1]);
  return { isPackage: metadata !== undefined, ...(name === undefined ? {} : { name }) };
}
