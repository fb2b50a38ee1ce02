import ts from "@typescript/typescript6";
import { folderOf } from "./program-files.ts";

/** The strings of a source that name other files to be loaded, and how to write one for another file. Pure. */
export interface Specifier {
  literal: ts.StringLiteralLike;
  text: string;
}

/** In the order of the source: imports and exports in every form, `require`, module mocks, augmentations, workers. */
export function specifiersIn(source: ts.SourceFile): Specifier[] {
  const found: Specifier[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && isLoaded(node)) found.push({ literal: node, text: node.text });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isLoaded(node: ts.StringLiteralLike): boolean {
  const { parent } = node;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return parent.moduleSpecifier === node;
  if (ts.isExternalModuleReference(parent)) return true;
  if (ts.isModuleDeclaration(parent)) return parent.name === node;
  if (ts.isLiteralTypeNode(parent)) return ts.isImportTypeNode(parent.parent);
  const isCall = ts.isCallExpression(parent) || ts.isNewExpression(parent);
  return isCall && parent.arguments?.[0] === node && isLoader(parent);
}

const mocks = /^(?:jest|vi|vitest|mock|td|t)\.(?:\w*[mM]ock\w*|module|replace\w*|\w*Actual\w*|importMock)$/;
const loaders = /^(?:require|require\.resolve|module\.require|proxyquire|import\.meta\.resolve)$/;

function isLoader(call: ts.CallExpression | ts.NewExpression): boolean {
  if (call.expression.kind === ts.SyntaxKind.ImportKeyword) return true;
  const named = call.expression.getText().replaceAll(/\s/g, "");
  if (ts.isCallExpression(call)) return loaders.test(named) || mocks.test(named);
  const isBeside = named === "URL" && call.arguments?.[1]?.getText().replaceAll(/\s/g, "") === "import.meta.url";
  return isBeside;
}

/** A path from a folder to a file, beginning with `./` or `../`. */
export function relativePath(folder: string, path: string): string {
  const from = folder === "" ? [] : folder.split("/");
  const to = path.split("/");
  let common = 0;
  while (common < from.length && common < to.length - 1 && from[common] === to[common]) common++;
  const up = from.slice(common).map(() => "..");
  const steps = [...up, ...to.slice(common)].join("/");
  return steps.startsWith("..") ? steps : `./${steps}`;
}

/** `old` named the file `before`, and shall name `after` in the same manner, from a source in `folder`. */
export function respelled(
  old: string,
  { before, after, folder }: { before: string; after: string; folder: string },
): string {
  const plain = relativePath(folder, after);
  const written = endingOf(old);
  const stem = plain.slice(0, plain.length - endingOf(plain).length);
  if (written !== "" && written === endingOf(before)) return plain;
  if (written !== "" && before.endsWith(sourceOf(written))) return stem + outputOf(endingOf(after), written);
  if (written !== "" && isOutput(written, endingOf(before))) return stem + outputOf(endingOf(after), written);
  const isShort = /(?:^|\/)index\.[^/]*$/.test(before) && !/(?:^|\/)index$/.test(old);
  return isShort && stem.endsWith("/index") ? stem.slice(0, -"/index".length) : stem;
}

function endingOf(path: string): string {
  return /\.(?:d\.[cm]?ts|[cm]?[jt]s|[jt]sx|json)$/.exec(path)?.[0] ?? "";
}

const outputs: Readonly<Record<string, string>> = { ".ts": ".js", ".tsx": ".js", ".mts": ".mjs", ".cts": ".cjs" };

function sourceOf(written: string): string {
  return Object.keys(outputs).find((source) => outputs[source] === written) ?? written;
}

function isOutput(written: string, source: string): boolean {
  return outputs[source] === written || (source === ".tsx" && written === ".jsx");
}

function outputOf(source: string, written: string): string {
  if (source === ".tsx" && written === ".jsx") return written;
  return outputs[source] ?? source;
}

/** `a/../b` as `b`; undefined for what leads out at the top. */
export function normalized(path: string): string | undefined {
  const steps: string[] = [];
  for (const step of path.split("/")) {
    if (step === "" || step === ".") continue;
    if (step !== "..") steps.push(step);
    else if (steps.pop() === undefined) return undefined;
  }
  return steps.join("/");
}

export function withoutEnding(path: string): string {
  return path.slice(0, path.length - endingOf(path).length);
}

/** Where a relative text leads from a file, as a path of the repository. */
export function besides(path: string, relative: string): string | undefined {
  return normalized(`${folderOf(path)}/${relative}`);
}
