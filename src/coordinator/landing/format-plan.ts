/**
 * Which formatter a repository has for files that a recipe changed, by its settings. Pure. It only ever names programs
 * inside the checkout; one of the machine's own would format by another version.
 */
export interface Formatter {
  name: string;
  /** The file that says so. */
  config: string;
  /** Commands to try, the program of the folder nearest to the settings first; empty where none is the repository's. */
  commands: readonly (readonly string[])[];
  files: readonly string[];
  /** Why there is no command. */
  absent?: string;
}

export interface FormatView {
  has(path: string): boolean;
  /** Of a settings file. */
  text(path: string): string | undefined;
}

interface Kind {
  name: string;
  formats: RegExp;
  /** Names of its settings, and what has to stand in them where the name alone says nothing. */
  configs: readonly { names: readonly string[]; says?: (text: string) => boolean }[];
  command?(folder: string, config: string): readonly string[];
  absent?: string;
}

const script = ["js", "json", "yaml", "yml", "cjs", "mjs", "ts", "cts", "mts"];
const fromToolchain = "comes with the toolchain and not with the repository; write it as a step that is a command";

/** In one folder the first of them is the one. */
const kinds: readonly Kind[] = [
  {
    name: "biome",
    formats: /\.(?:[cm]?[jt]s|[jt]sx|jsonc?|css|graphql|gql|html|vue|svelte|astro)$/,
    configs: [
      {
        names: ["biome.json", "biome.jsonc", ".biome.json", ".biome.jsonc"],
        says: (text) => !/"formatter"\s*:\s*\{[^{}]*"enabled"\s*:\s*false/.test(text),
      },
    ],
    command: (folder) => [
      inModules(folder, "biome"),
      "format",
      "--write",
      "--no-errors-on-unmatched",
      "--files-ignore-unknown=true",
    ],
  },
  {
    name: "dprint",
    formats: /\.[a-z0-9]+$/i,
    configs: [{ names: ["dprint.json", "dprint.jsonc", ".dprint.json", ".dprint.jsonc"] }],
    command: (folder, config) => [inModules(folder, "dprint"), "fmt", "--allow-no-files", "--config", `./${config}`],
  },
  {
    name: "prettier",
    formats: /\.[a-z0-9]+$/i,
    configs: [
      {
        names: [
          ".prettierrc",
          ".prettierrc.json5",
          ".prettierrc.toml",
          ...script.map((end) => `.prettierrc.${end}`),
          ...["js", "cjs", "mjs", "ts", "cts", "mts"].map((end) => `prettier.config.${end}`),
        ],
      },
      { names: ["package.json"], says: isPrettierSet },
    ],
    command: (folder) => [inModules(folder, "prettier"), "--write", "--ignore-unknown", "--log-level=warn"],
  },
  {
    name: "ruff",
    formats: /\.pyi?$/,
    configs: [
      { names: ["ruff.toml", ".ruff.toml"], says: (text) => /^\[format\]/m.test(text) },
      { names: ["pyproject.toml"], says: (text) => /^\[tool\.ruff\.format\]/m.test(text) },
    ],
    command: (folder) => [`./${join(folder, ".venv/bin/ruff")}`, "format", "--quiet"],
  },
  {
    name: "black",
    formats: /\.pyi?$/,
    configs: [{ names: ["pyproject.toml"], says: (text) => /^\[tool\.black\]/m.test(text) }],
    command: (folder) => [`./${join(folder, ".venv/bin/python")}`, "-m", "black", "--quiet"],
  },
  {
    name: "rustfmt",
    formats: /\.rs$/,
    configs: [{ names: ["rustfmt.toml", ".rustfmt.toml", "Cargo.toml"] }],
    absent: fromToolchain,
  },
  { name: "gofmt", formats: /\.go$/, configs: [{ names: ["go.mod"] }], absent: fromToolchain },
];

/** One for each settings file that is nearest to some of the changed files. */
export function planFormat(changed: readonly string[], view: FormatView): Formatter[] {
  const found = new Map<string, { kind: Kind; config: string; files: string[] }>();
  for (const path of changed) {
    const nearest = nearestTo(path, view);
    if (!nearest) continue;
    const key = `${nearest.kind.name} ${nearest.config}`;
    const known = found.get(key) ?? { ...nearest, files: [] };
    found.set(key, known);
    known.files.push(path);
  }
  return [...found.values()].map(({ kind, config, files }) => ({
    name: kind.name,
    config,
    files,
    commands: commandsOf(kind, config),
    ...(kind.absent ? { absent: kind.absent } : {}),
  }));
}

/** A key of its own, not the package among the dependencies. */
function isPrettierSet(text: string): boolean {
  try {
    const manifest: unknown = JSON.parse(text);
    return typeof manifest === "object" && manifest !== null && "prettier" in manifest;
  } catch {
    return false;
  }
}

function nearestTo(path: string, view: FormatView): { kind: Kind; config: string } | undefined {
  const able = kinds.filter((kind) => kind.formats.test(path));
  for (const folder of foldersAbove(path)) {
    for (const kind of able) {
      const config = configIn(folder, kind, view);
      if (config !== undefined) return { kind, config };
    }
  }
  return undefined;
}

function configIn(folder: string, kind: Kind, view: FormatView): string | undefined {
  for (const { names, says } of kind.configs) {
    const config = names.map((name) => join(folder, name)).find((path) => view.has(path));
    if (config === undefined) continue;
    if (!says || says(view.text(config) ?? "")) return config;
  }
  return undefined;
}

function commandsOf(kind: Kind, config: string): (readonly string[])[] {
  const folders = [...new Set([folderOf(config), ""])];
  return kind.command ? folders.flatMap((folder) => [kind.command?.(folder, config) ?? []]) : [];
}

function inModules(folder: string, program: string): string {
  return `./${join(folder, `node_modules/.bin/${program}`)}`;
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let folder = folderOf(path); folder !== ""; folder = folderOf(folder)) folders.push(folder);
  return [...folders, ""];
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
