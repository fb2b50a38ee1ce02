import { registerDynamicLanguage } from "@ast-grep/napi";
import { Fault } from "../protocol/failure.ts";
import type { Language } from "../protocol/language.ts";

/**
 * The grammars beside those that ast-grep's library has built in. Each comes with a package that a user may leave out,
 * and none is loaded before somebody asks for one of them.
 */
export type OptionalLanguage = Exclude<Language, "JavaScript" | "TypeScript" | "Tsx">;

/** How ast-grep finds a grammar, and what stands for `$` in a pattern where `$` is no part of a name. */
interface Grammar {
  libraryPath: string;
  extensions: string[];
  languageSymbol?: string;
  metaVarChar?: string;
  expandoChar?: string;
}

interface Packaged {
  name: string;
  load(): Promise<{ default: Grammar }>;
}

const packages: Readonly<Record<OptionalLanguage, Packaged>> = {
  Python: { name: "@ast-grep/lang-python", load: () => import("@ast-grep/lang-python") },
  Go: { name: "@ast-grep/lang-go", load: () => import("@ast-grep/lang-go") },
  Rust: { name: "@ast-grep/lang-rust", load: () => import("@ast-grep/lang-rust") },
  Java: { name: "@ast-grep/lang-java", load: () => import("@ast-grep/lang-java") },
};

const optionalLanguages = Object.keys(packages) as OptionalLanguage[];

type Loaded = ReadonlyMap<OptionalLanguage, Grammar | { missing: string }>;

/** The library takes a registration once a process, and ignores every later one: so all go at once. */
let loading: Promise<Loaded> | undefined;
let loaded: Loaded = new Map();

/** Makes these languages known. Throws Fault `rule` with the package to install for one that is not here. */
export async function loadLanguages(wanted: Iterable<Language>): Promise<void> {
  const asked = [...wanted].filter((one) => isOptional(one));
  if (asked.length === 0) return;
  const known = await loadInstalled();
  for (const language of asked) {
    const grammar = known.get(language);
    if (!grammar || "missing" in grammar) throw absent(language, grammar?.missing);
  }
}

/** Makes those languages known whose packages are installed. */
export async function loadInstalled(): Promise<Loaded> {
  loading ??= registerAll();
  loaded = await loading;
  return loaded;
}

/** Whether the grammar of a language is at hand. */
export function isLoaded(language: Language): boolean {
  return !isOptional(language) || expandoOf(language) !== undefined;
}

/** What stands for the `$` of a pattern's variables when the pattern is read as code. */
export function expandoOf(language: Language): string | undefined {
  if (!isOptional(language)) return "$";
  const grammar = loaded.get(language);
  return grammar && !("missing" in grammar) ? (grammar.expandoChar ?? "$") : undefined;
}

function isOptional(language: Language): language is OptionalLanguage {
  return Object.hasOwn(packages, language);
}

async function registerAll(): Promise<Loaded> {
  const found = new Map(
    await Promise.all(optionalLanguages.map(async (language) => [language, await find(language)] as const)),
  );
  registerDynamicLanguage(
    Object.fromEntries([...found].flatMap(([name, one]) => ("missing" in one ? [] : [[name, one]]))),
  );
  return found;
}

async function find(language: OptionalLanguage): Promise<Grammar | { missing: string }> {
  try {
    const { libraryPath, extensions, languageSymbol, metaVarChar, expandoChar } = (await packages[language].load())
      .default;
    return {
      libraryPath,
      extensions,
      ...(languageSymbol ? { languageSymbol } : {}),
      ...(metaVarChar ? { metaVarChar } : {}),
      ...(expandoChar ? { expandoChar } : {}),
    };
  } catch (cause) {
    // Not installed, or without a build for this machine: both are for the user to hear when the language is wanted.
    return { missing: cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause) };
  }
}

function absent(language: OptionalLanguage, reason: string | undefined): Fault {
  const { name } = packages[language];
  return new Fault("rule", `${language} code is read by the package ${name}, which cannot be loaded: ${reason}`, {
    remedy: `install it where sheaf is installed: npm install ${name}`,
  });
}
