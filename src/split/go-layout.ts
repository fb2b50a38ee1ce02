import { basenameOf } from "./folders.ts";
import type { Layout, Manifest } from "./manifest.ts";

/**
 * Go: a go.mod makes its folder a module, wherever it is; a go.work names modules of its own and takes none away
 * (Go Modules Reference). The go command itself passes over `testdata`, and so does this.
 */
export const goLayout: Layout = {
  isManifest: (path) => basenameOf(path) === "go.mod",
  read(_path, content): Manifest {
    const name = /^\s*module\s+"?([^\s"]+)/m.exec(content)?.[1];
    return { isPackage: true, ...(name === undefined ? {} : { name }) };
  },
};
