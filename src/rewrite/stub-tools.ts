import type { Token } from "./specifier-candidates.ts";

/** Where a file may call tools that stand other modules in, by whatever name it gave them. */
export interface StubTools {
  /** proxyquire, and tap's `t.mock`: the keys of an object must say the names that the code under test says. */
  keyed: Token[];
  /** require-inject: it fills `require.cache`, which a name with the prefix goes around. */
  cached: Token[];
  /** The names of mock-require, whose first argument must say the name that the code under test says. */
  named: ReadonlySet<string>;
  /** What a file calls `jest` and `vi` where it imports them under names of its own. */
  aliases: ReadonlyMap<string, string>;
}

export function findStubTools(text: string): StubTools {
  return {
    keyed: [...toolTokens(text, "proxyquire"), ...tapTokens(text)],
    cached: toolTokens(text, "require-inject"),
    named: namesOf(text, "mock-require"),
    aliases: aliasesIn(text),
  };
}

/** Where a package that is one function is called, be it as `require("package")(...)`. */
function toolTokens(text: string, tool: string): Token[] {
  if (!text.includes(tool)) return [];
  const required = [...text.matchAll(new RegExp(`\\b(require)\\s*\\(\\s*["']${tool}["']\\s*\\)`, "g"))];
  const names = namesOf(text, tool);
  const called = [...names].flatMap((name) => [
    ...text.matchAll(new RegExp(`(?<![\\w$.])(${name.replaceAll("$", "\\$")})(?=\\s*[.(<])`, "g")),
  ]);
  return [...required, ...called].map(tokenOf);
}

/** What a file calls a tool, or the tool as it was set up: `const stub = proxyquire.noCallThru()`. */
function namesOf(text: string, tool: string): Set<string> {
  const names = new Set<string>();
  if (!text.includes(tool)) return names;
  if (tool === "proxyquire") names.add(tool);
  const imported = new RegExp(`\\bimport\\s+(?:\\*\\s*as\\s+)?([A-Za-z_$][\\w$]*)\\s+from\\s*["']${tool}["']`, "g");
  for (const [, name] of text.matchAll(imported)) names.add(name ?? tool);
  for (const name of assigned(text, `require\\(\\s*["']${tool}["']\\s*\\)`)) names.add(name);
  if (tool === "proxyquire") for (const name of loadsOf(text)) names.add(name);
  for (const name of names) {
    for (const other of assigned(text, `${name.replaceAll("$", "\\$")}(?=\\s*\\.)`)) names.add(other);
  }
  return names;
}

/** `import { jest as j }`, `const { vi: v } = await import(...)`. */
function aliasesIn(text: string): Map<string, string> {
  if (!/["'](?:@jest\/globals|vitest)["']/.test(text)) return new Map();
  const found = text.matchAll(/\b(jest|vi)\s*(?:\bas\s|:)\s*([A-Za-z_$][\w$]*)/g);
  return new Map([...found].map(([, tool = "", name = ""]) => [name, tool]));
}

/** `const { load } = require("proxyquire")` */
function loadsOf(text: string): string[] {
  const taken = /\{[^{}]*\bload\b(?:\s*:\s*([A-Za-z_$][\w$]*))?[^{}]*\}\s*=\s*require\(\s*["']proxyquire["']\s*\)/g;
  return [...text.matchAll(taken)].map(([, name = "load"]) => name);
}

const setUp = "(?:\\s*\\.\\s*(?:(?:noCallThru|callThru|preserveCache|noPreserveCache)\\s*\\(\\s*\\)|load\\b))*";

/** The names that are given this value, set up or not; what it answers when it is called is something else. */
function assigned(text: string, value: string): string[] {
  const given = `(?<![\\w$.])([A-Za-z_$][\\w$]*)\\s*(?::[\\w$.<>, ]{0,80})?=\\s*${value}${setUp}(?!\\s*[.(])`;
  return [...text.matchAll(new RegExp(given, "g"))].flatMap(([, name]) => name ?? []);
}

const tap = /["'](?:lib)?tap["']|["']@tapjs\//;
const tapMock = /(?<![\w$.])([A-Za-z_$][\w$]*)(?=\s*\.\s*mock(?:Require|Import)?\s*\()/g;

function tapTokens(text: string): Token[] {
  return tap.test(text) ? [...text.matchAll(tapMock)].map(tokenOf) : [];
}

function tokenOf(found: RegExpMatchArray): Token {
  const [, word = ""] = found;
  const start = found.index ?? 0;
  return { start, end: start + word.length };
}
