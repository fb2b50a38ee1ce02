import type { SgNode } from "@ast-grep/napi";

/** What a call means for the module name in its first argument. */
export type Callee = "module" | "require" | "mock" | "other";

const jestCalls =
  /^(?:jest|vi|vitest)\.(?:mock|unmock|doMock|doUnmock|dontMock|deepUnmock|setMock|requireActual|requireMock|createMockFromModule|genMockFromModule|unstable_mockModule|unstable_unmockModule|importActual|importMock)$/;
const otherMocks =
  /^(?:[\w$.]*\bmock\.module|mockery\.(?:registerMock|registerSubstitute|registerAllowable|registerAllowables|deregisterMock|deregisterSubstitute|deregisterAllowable|deregisterAllowables)|(?:td|testdouble)\.replace(?:Esm)?|rewiremock(?:\.(?:node|enable))?)$/;

/**
 * `require` and `module` calls of Node, and those of test tools that name a module the way the code under test does.
 * `mockRequires` are this file's names for mock-require.
 */
export function calleeOf(call: SgNode, mockRequires: ReadonlySet<string> = new Set()): Callee {
  const callee = call.field("function");
  if (!callee) return "other";
  const kind = callee.kind();
  if (kind === "import") return "module";
  const text = calleeText(callee);
  if (kind === "call_expression") return /^(?:[\w$.]+\.)?createRequire\(/.test(text) ? "module" : "other";
  if (text === "require" || text === "require.resolve") return "require";
  if (text === "module.require" || text === "require.main.require") return "require";
  if (mockRequires.has(text.replace(/\.(?:stop|reRequire)$/, ""))) return "mock";
  return jestCalls.test(text) || otherMocks.test(text) ? "mock" : "other";
}

/** Calls of jest that answer jest, so that the next call may hang on to them. */
const jestChain =
  /^jest\.(?:mock|unmock|doMock|dontMock|deepUnmock|setMock|unstable_mockModule|resetModules|\w+AllMocks|\w+[aA]utomock|autoMock\w+|setTimeout|retryTimes|use\w+Timers|isolateModules)$/;

/** As it would be written on one line, without the calls of jest before it: `jest.mock("a").mock` is `jest.mock`. */
function calleeText(callee: SgNode): string {
  const object = callee.kind() === "member_expression" ? callee.field("object") : null;
  const before = object?.kind() === "call_expression" ? object.field("function") : null;
  if (before && jestChain.test(calleeText(before))) return `jest.${callee.field("property")?.text()}`;
  // The grammar takes `await f<T>()` for `(await f)<T>()`.
  return callee
    .text()
    .replace(/^await\s+/, "")
    .replaceAll(/\s|\?(?=\.)/g, "");
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
