import { basenameOf } from "./folders.ts";
import { type Layout, type Manifest, text } from "./manifest.ts";

/**
 * Maven: a pom.xml with `<modules>` (in its profiles too) says which folders are part of it; any other pom.xml is a
 * project of its own. Only these two elements are looked for, so nothing of the document is ever expanded.
 */
export const mavenLayout: Layout = {
  isManifest: (path) => basenameOf(path) === "pom.xml",
  read(_path, content): Manifest {
    const plain = withoutComments(content);
    const modules = elements(plain, "modules").flatMap((list) => elements(list, "module"));
    const folders = new Set(modules.map((module) => folderOf(decode(module.trim()))));
    const [parent = ""] = elements(plain, "parent");
    const name = text(elements(plain.replace(parent, ""), "artifactId")[0]);
    return {
      isPackage: true,
      ...(name === undefined ? {} : { name }),
      ...(folders.size > 0 ? { hasMember: (folder: string) => folders.has(folder) } : {}),
    };
  },
};

/** A module is a folder, or a pom file in one. */
function folderOf(module: string): string {
  return module
    .replaceAll("\\", "/")
    .replace(/(^|\/)[^/]+\.xml$/, "")
    .replace(/^(\.\/)+/, "")
    .replace(/\/+$/, "");
}

/** The contents of each element of that name; one inside another of its name does not occur in a pom. */
function elements(text: string, name: string): string[] {
  return text
    .split(`<${name}>`)
    .slice(1)
    .flatMap((rest) => {
      const end = rest.indexOf(`</${name}>`);
      return end < 0 ? [] : [rest.slice(0, end)];
    });
}

function withoutComments(text: string): string {
  const [first = "", ...rest] = text.split("<!--");
  return (
    first +
    rest.map((piece) => piece.slice(piece.indexOf("-->") < 0 ? piece.length : piece.indexOf("-->") + 3)).join("")
  );
}

function decode(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
