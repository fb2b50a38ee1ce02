import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { CompiledRecipe } from "../../src/rewrite/engine.ts";
import { applyTextEdits } from "../../src/rewrite/text-edit.ts";

/** Files by their path in a folder. */
export type Files = ReadonlyMap<string, Buffer>;

const astGrep = join(import.meta.dirname, "../../node_modules/.bin/ast-grep");

/** What the ast-grep command makes of these files. `config` is written beside them, as `rule.yml`. */
export function byCommand(files: Files, args: readonly string[], config?: string): Files {
  const folder = mkdtempSync(join(tmpdir(), "sheaf-rewrite-"));
  try {
    for (const [path, bytes] of files) {
      mkdirSync(dirname(join(folder, "files", path)), { recursive: true });
      writeFileSync(join(folder, "files", path), bytes);
    }
    if (config !== undefined) writeFileSync(join(folder, "rule.yml"), config);
    execFileSync(astGrep, [...args, "files"], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    return new Map([...files.keys()].map((path) => [path, readFileSync(join(folder, "files", path))]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a recipe makes of them. */
export function byRecipe(files: Files, recipe: CompiledRecipe): Files {
  return new Map(
    files.entries().map(([path, bytes]) => {
      const { edits } = recipe.rewrite({ path, bytes });
      return [path, Buffer.from(applyTextEdits(bytes, edits))];
    }),
  );
}

/** The text of each file, to be compared. */
export function texts(files: Files): Record<string, string> {
  return Object.fromEntries(files.entries().map(([path, bytes]) => [path, bytes.toString("latin1")]));
}

const published: Readonly<Record<string, RegExp>> = {
  "undici/lib": /\.js$/,
  "yaml/dist": /\.js$/,
  "commander/lib": /\.js$/,
  "undici/types": /\.d\.ts$/,
  "commander/typings": /\.d\.ts$/,
};

let read: Files | undefined;

/** Sources nobody here wrote, from installed packages. */
export function publishedSources(): Files {
  read ??= readPublished();
  return read;
}

function readPublished(): Files {
  const modules = join(import.meta.dirname, "../../node_modules");
  const files = new Map<string, Buffer>();
  for (const [folder, wanted] of Object.entries(published)) {
    for (const entry of readdirSync(join(modules, folder), { recursive: true, encoding: "utf8" })) {
      if (!wanted.test(entry)) continue;
      files.set(join(folder, entry), readFileSync(join(modules, folder, entry)));
    }
  }
  return files;
}

/** Every so many of the published sources, as they are and in their variants, so that a case costs little. */
export function someSources(start: number): Files {
  const some = new Map([...publishedSources()].filter((_, index) => index % 16 === start % 16));
  return new Map([...some, ...variants(some)]);
}

/** The same sources as other editors would have written them. */
function variants(files: Files): Files {
  const mark = "\uFEFF";
  const forms: readonly [string, (text: string) => string][] = [
    ["crlf", (text) => text.replaceAll("\n", "\r\n")],
    ["mixed", (text) => text.replaceAll(/\n(?=[^\n]*\n[^\n]*\n)/g, "\r\n").trimEnd()],
    ["mark", (text) => mark + text],
    ["tabs", (text) => text.replaceAll(/^( {2})+/gm, (indent) => "\t".repeat(indent.length / 2))],
    ["emoji", (text) => text.replaceAll(/^(?=\s*(?:const|return)\b)/gm, "/* \u{1F600}\u00e9\u4e16 */")],
  ];
  return new Map(
    [...files].flatMap(([path, bytes], index) => {
      const form = forms[(index + path.length) % forms.length];
      return form ? [[`${form[0]}/${path}`, Buffer.from(form[1](bytes.toString("utf8")))] as const] : [];
    }),
  );
}
