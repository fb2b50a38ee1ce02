import { readToml } from "../document/read-toml.ts";

/** Registries as the configuration of package managers writes them. What cannot be read names none. Pure. */
export interface Configured {
  urls: string[];
  /** The usual registry is not asked any more. */
  isInstead?: boolean;
}

/** The first URL after each place that `key` matches, up to the end of its line. `instead`: that key replaces the usual. */
export function urlsAfter(key: RegExp, instead?: RegExp): (text: string) => Configured {
  return (text) => {
    const keys = new RegExp(key.source, `${key.flags.replace("g", "")}g`);
    const urls = Array.from(text.matchAll(keys), ({ index, 0: found }) => urlAt(text, index + found.length));
    return { urls: urls.filter((url) => url !== undefined), isInstead: instead?.test(text) ?? false };
  };
}

/** Properties files write `https\://`. */
function urlAt(text: string, from: number): string | undefined {
  const line = text.slice(from, from + 2_000).split(/[\r\n]/, 1)[0] ?? "";
  return /https?\\?:\/\/[^\s"'<>,})\]]+/.exec(line)?.[0].replace("\\:", ":");
}

/** https://docs.npmjs.com/cli/v11/configuring-npm/npmrc */
export const fromNpmrc = urlsAfter(/^[ \t]*(?:@[\w.~-]+:)?registry[ \t]*=/m, /^[ \t]*registry[ \t]*=/m);
/** Yarn 1: `registry "https://..."`. */
export const fromYarnrc = urlsAfter(/^[ \t]*"?(?:@[\w.~-]+:)?registry"?\s/m, /^[ \t]*"?registry"?\s/m);
/** https://pip.pypa.io/en/stable/reference/requirements-file-format */
export const fromRequirements = urlsAfter(
  /^[ \t]*(?:-i|-f|--index-url|--extra-index-url|--find-links)[\s=]/m,
  /^[ \t]*(?:-i|--index-url)[\s=]/m,
);

export function fromPipfile(text: string): Configured {
  const urls = tables(tomlOf(text).source).flatMap(({ url }) => texts(url));
  return { urls, isInstead: urls.length > 0 };
}

/** `[[tool.poetry.source]]`, `[[tool.uv.index]]`, `[[tool.pdm.source]]`, and a uv.toml with the same keys at its top. */
export function fromPyproject(text: string): Configured {
  const document = tomlOf(text);
  const tool = table(document.tool);
  const [uv, poetry, pdm] = [tool.uv, tool.poetry, tool.pdm].map(table);
  const sources = [...tables(poetry?.source), ...tables(pdm?.source)];
  const indexes = [...tables(uv?.index), ...tables(document.index)];
  const single = [uv?.["index-url"], document["index-url"]].flatMap(texts);
  const extra = [uv?.["extra-index-url"], document["extra-index-url"]].flatMap(texts);
  const isInstead =
    single.length > 0 ||
    sources.some(({ priority, name }) => priority === "default" || priority === "primary" || name === "pypi") ||
    indexes.some((one) => one.default === true);
  return { urls: [...sources, ...indexes].flatMap(({ url }) => texts(url)).concat(single, extra), isInstead };
}

/** https://doc.rust-lang.org/cargo/reference/config.html: `[registries.NAME]`, and `[source.NAME]` that replaces. */
export function fromCargo(text: string): Configured {
  const { registries, source } = tomlOf(text);
  const sources = Object.values(table(source)).map(table);
  const named = Object.values(table(registries)).map(table);
  return {
    urls: [...named.flatMap(({ index }) => texts(index)), ...sources.flatMap(({ registry }) => texts(registry))],
    isInstead: table(table(source)["crates-io"])["replace-with"] !== undefined,
  };
}

/** Where artifacts are published to is no registry to install from. */
export function fromMaven(text: string): Configured {
  const [first = "", ...others] = text.split("<distributionManagement>");
  const installed = first + others.map((part) => part.split("</distributionManagement>")[1] ?? "").join("");
  const blocks = ["repository", "pluginRepository", "mirror"].flatMap((tag) =>
    between(installed, `<${tag}>`, `</${tag}>`),
  );
  return { urls: blocks.flatMap((block) => between(block, "<url>", "</url>").map((url) => url.trim())) };
}

/** In time linear in the text, whatever it is. */
function between(text: string, open: string, close: string): string[] {
  const found: string[] = [];
  for (let at = text.indexOf(open); at !== -1; ) {
    const end = text.indexOf(close, at);
    if (end === -1) break;
    found.push(text.slice(at + open.length, end));
    at = text.indexOf(open, end);
  }
  return found;
}

/** `maven { url = uri("...") }`, `maven("...")`, `google()`. */
export function fromGradle(text: string): Configured {
  const blocks = text.match(/\bmaven\s*[({][^})]*/g) ?? [];
  const urls = blocks.flatMap((block) => texts(/["'](https?:[^"']+)["']/.exec(block)?.[1]));
  return { urls: /\bgoogle\s*[({]/.test(text) ? [...urls, "https://dl.google.com"] : urls };
}

export function fromBundler(text: string): Configured {
  const urls = Array.from(text.matchAll(/^[ \t]*source[\s(]+["']([^"']+)["']/gm), ([, url = ""]) => url);
  return { urls, isInstead: urls.length > 0 };
}

export function fromNuget(text: string): Configured {
  const sources = between(text, "<packageSources>", "</packageSources>").join("\n");
  const urls = Array.from(sources.matchAll(/\bvalue[ \t]*=[ \t]*"([^"]+)"/g), ([, url = ""]) => url);
  return { urls, isInstead: /<clear[ \t]*\/>/i.test(sources) };
}

type Table = Readonly<Record<string, unknown>>;

function tomlOf(text: string): Table {
  try {
    return readToml(text);
  } catch {
    return {};
  }
}

function table(value: unknown): Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function tables(value: unknown): Table[] {
  return Array.isArray(value) ? value.map(table) : [];
}

function texts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  return typeof value === "string" ? [value] : [];
}
