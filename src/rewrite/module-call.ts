import type { SgNode } from "@ast-grep/napi";

/** What a call means for the module name in its first argument. */
export type Callee = "module" | "require" | "mock" | "other";

/** What a file calls mock-require, and what `createRequire` made for it. */
export interface GivenNames {
  mockRequires: ReadonlySet<string>;
  requires: ReadonlySet<string>;
  /** Names that stand for `jest` and `vi`. */
  aliases: ReadonlyMap<string, string>;
}

const jestCalls =
  /^(?:jest|vi|vitest)\.(?:mock|unmock|doMock|doUnmock|dontMock|deepUnmock|setMock|requireActual|requireMock|createMockFromModule|genMockFromModule|unstable_mockModule|unstable_unmockModule|importActual|importMock)$/;
const otherMocks =
  /^(?:[\w$.]*\bmock\.module|mockery\.(?:registerMock|registerSubstitute|registerAllowable|registerAllowables|deregisterMock|deregisterSubstitute|deregisterAllowable|deregisterAllowables)|(?:td|testdouble)\.replace(?:Esm)?|rewiremock(?:\.(?:node|enable))?)$/;

/**
 * `require` and `module` calls of Node, and those of test tools that name a module the way the code under test does.
 * `names` are those this file itself gave.
 */
export function calleeOf(call: SgNode, names?: GivenNames): Callee {
  const callee = call.field("function");
  switch (String(callee?.kind())) {
    case "import":
      return "module";
    case "call_expression":
      return /^(?:[\w$.]+\.)?createRequire\s*\(/.test(callee?.text() ?? "") ? "module" : "other";
    default:
      return callee ? calleeNamed(calleeText(callee, names?.aliases), names) : "other";
  }
}

function calleeNamed(text: string, names?: GivenNames): Callee {
  if (text === "require" || text === "require.resolve") return "require";
  if (text === "module.require" || text === "require.main.require") return "require";
  if (names?.requires.has(text.replace(/\.resolve$/, ""))) return "module";
  if (names?.mockRequires.has(text.replace(/\.(?:stop|reRequire)$/, ""))) return "mock";
  return jestCalls.test(text) || otherMocks.test(text) ? "mock" : "other";
}

/** Calls of jest that answer jest, so that the next call may hang on to them. */
const jestChain =
  /^jest\.(?:mock|unmock|doMock|dontMock|deepUnmock|setMock|unstable_mockModule|resetModules|\w+AllMocks|\w+[aA]utomock|autoMock\w+|setTimeout|retryTimes|use\w+Timers|isolateModules)$/;

/** As it would be written on one line, without the calls of jest before it: `jest.mock("a").mock` is `jest.mock`. */
function calleeText(callee: SgNode, aliases?: GivenNames["aliases"]): string {
  const text = callee.text().replace(/^[A-Za-z_$][\w$]*/, (name) => aliases?.get(name) ?? name);
  const before = text.startsWith("jest") ? callee.field("object")?.field("function") : undefined;
  if (before && jestChain.test(calleeText(before, aliases))) return `jest.${callee.field("property")?.text()}`;
  // The grammar takes `await f<T>()` for `(await f)<T>()`; `(0, f)()` is `f()` without a receiver.
  const plain = text.replace(/^await\s+/, "").replaceAll(/\s|\?(?=\.)/g, "");
  return plain.replace(/^\(0,([\w$.]+)\)$/, "$1");
}

/** The first argument that is not a comment. */
export function firstArgument(list: SgNode): SgNode | undefined {
  return list.children().find((child) => child.isNamed() && child.kind() !== "comment");
}

/** All arguments but comments. */
export function argumentsOf(call: SgNode): SgNode[] {
  const list = call.field("arguments");
  if (list?.kind() !== "arguments") return [];
  return list.children().filter((child) => child.isNamed() && child.kind() !== "comment");
}
