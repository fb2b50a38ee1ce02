import type { SgNode } from "@ast-grep/napi";

/** What a call means for the module name in its first argument. */
export type Callee = "module" | "require" | "mock" | "other";

const jestCalls =
  /^(?:jest|vi|vitest)\.(?:mock|unmock|doMock|doUnmock|dontMock|deepUnmock|setMock|requireActual|requireMock|createMockFromModule|genMockFromModule|unstable_mockModule|unstable_unmockModule|importActual|importMock)$/;
const otherMocks =
  /^(?:[\w$.]*\bmock\.module|mockery\.(?:registerMock|registerSubstitute|registerAllowable|registerAllowables|deregisterMock|deregisterSubstitute|deregisterAllowable|deregisterAllowables)|(?:td|testdouble)\.replace(?:Esm)?|rewiremock(?:\.(?:node|enable))?)$/;

/** `require` and `module` calls of Node, and those of test tools that name a module the way the code under test does. */
export function calleeOf(call: SgNode): Callee {
  const callee = call.field("function");
  if (!callee) return "other";
  const kind = callee.kind();
  if (kind === "import") return "module";
  const text = callee.text().replaceAll(/\s|\?(?=\.)/g, "");
  if (kind === "call_expression") return /^(?:[\w$.]+\.)?createRequire\(/.test(text) ? "module" : "other";
  if (text === "require" || text === "require.resolve") return "require";
  if (text === "module.require" || text === "require.main.require") return "require";
  return jestCalls.test(text) || otherMocks.test(text) ? "mock" : "other";
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

const generic = /^(?:await\s+)?((?:jest|vi|vitest)\s*\.\s*\w+)\s*</;

/**
 * `jest.mock<typeof import("fs")>("fs", make)`: the TypeScript grammar takes a type argument that begins with an
 * import for two comparisons, and the arguments for a parenthesis. Whether `literal` is the first of those.
 */
export function isInMisreadGenericMock(literal: SgNode): boolean {
  const start = literal.range().start.index;
  let wrapped = literal.parent();
  while (wrapped?.kind() === "sequence_expression") wrapped = wrapped.parent();
  const comparison = wrapped?.parent();
  if (wrapped?.kind() !== "parenthesized_expression" || comparison?.kind() !== "binary_expression") return false;
  const called = generic.exec(comparison.text())?.[1]?.replaceAll(/\s/g, "");
  const isFirst = /^\(\s*$/.test(wrapped.text().slice(0, start - wrapped.range().start.index));
  return isFirst && called !== undefined && jestCalls.test(called);
}
