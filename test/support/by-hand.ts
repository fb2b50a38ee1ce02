import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "@swc/core";
import { builtinModules } from "../../src/rewrite/builtin-modules.ts";

/**
 * `node-protocol` as somebody else would write it: another parser, and nothing of ours but the list of modules.
 * Changes the files below `folder` in place; answers their paths, and throws for one it cannot read.
 */
export function prefixByHand(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => {
    if (!/\.(?:[cm]?[jt]s|[jt]sx)$/.test(path) || /(?:^|\/)(?:\.git|node_modules)\//.test(path)) return false;
    const bytes = readFileSync(join(folder, path));
    const edits = editsOf(path, bytes);
    if (edits.length > 0) writeFileSync(join(folder, path), spliced(bytes, edits));
    return edits.length > 0;
  });
}

/** Before this byte goes a text, in place of that many bytes. */
interface Edit {
  at: number;
  length: number;
  text: string;
}

function spliced(bytes: Buffer, edits: readonly Edit[]): Buffer {
  let made = bytes;
  for (const { at, length, text } of [...edits].sort((one, other) => other.at - one.at)) {
    made = Buffer.concat([made.subarray(0, at), Buffer.from(text), made.subarray(at + length)]);
  }
  return made;
}

/** A node of the tree, as far as this file cares. Spans are in bytes, and go on counting from file to file. */
interface Node {
  type?: string;
  span: { start: number; end: number };
  value?: unknown;
  [field: string]: unknown;
}

/** Tells where the tree of a file begins; counted off again. */
const opening = "0;";

function editsOf(path: string, bytes: Buffer): Edit[] {
  const text =
    opening +
    bytes
      .toString("utf8")
      .replace(/^\uFEFF/, "")
      .replace(/^#!/, "//");
  const body = parsed(path, text);
  const mark = bytes.length + opening.length - Buffer.byteLength(text);
  const from = (body[0]?.span.start ?? 0) + opening.length - mark;
  const edits: Edit[] = [];
  const tools = new Set(["proxyquire"]);
  walk(body, (node) => {
    const tool = toolNamed(node, tools);
    if (tool) tools.add(tool);
    for (const one of specifiersOf(node).filter(isBuiltin)) {
      edits.push({ at: one.span.start - from + 1, length: 0, text: "node:" });
    }
    edits.push(...stubKeys(node, tools).map((key) => renamed(key, from)));
  });
  return edits;
}

/** The statements of a file: as a module, or where that cannot be as a script. */
function parsed(path: string, text: string): Node[] {
  const typed = { syntax: "typescript", tsx: path.endsWith("x"), decorators: true } as const;
  const plain = { syntax: "ecmascript", jsx: true, allowReturnOutsideFunction: true } as const;
  const options = { ...(/tsx?$/.test(path) ? typed : plain), target: "es2022" } as const;
  let program: unknown;
  try {
    program = parseSync(text, options);
  } catch {
    program = parseSync(text, { ...options, isModule: false });
  }
  return isNode(program) && Array.isArray(program.body) ? program.body.filter(isNode) : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (!isNode(value)) return;
  if (!Array.isArray(value) && value.type !== undefined) visit(value);
  for (const [key, inner] of Object.entries(value)) if (key !== "span") walk(inner, visit);
}

function isBuiltin(node: unknown): node is Node {
  return isNode(node) && node.type === "StringLiteral" && builtinModules.has(String(node.value));
}

const mock = /^(?:jest|vi)\.(?:(?:un)?mock|do(?:Un)?[mM]ock|dontMock|setMock|\w*(?:Actual|Mock))$/;

function specifiersOf(node: Node): unknown[] {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return [node.source];
    case "TsExternalModuleReference":
      return [node.expression];
    case "TsImportType":
      return [node.argument];
    case "CallExpression": {
      const callee = nameOf(node.callee);
      return /^(?:import|require|require\.resolve)$/.test(callee) || mock.test(callee) ? [argumentOf(node, 0)] : [];
    }
    default:
      return [];
  }
}

function nameOf(callee: unknown): string {
  if (!isNode(callee)) return "?";
  if (callee.type === "Import") return "import";
  if (callee.type === "Identifier") return String(callee.value);
  return callee.type === "MemberExpression" ? `${nameOf(callee.object)}.${nameOf(callee.property)}` : "?";
}

function argumentOf(call: Node, index: number): unknown {
  const list = Array.isArray(call.arguments) ? call.arguments : [];
  return list[index]?.expression;
}

/** `const stub = require("proxyquire").noCallThru()` */
function toolNamed(node: Node, tools: ReadonlySet<string>): string | undefined {
  const isOne = node.type === "VariableDeclarator" && isToolCall(node.init, tools);
  return isOne ? nameOf(node.id) : undefined;
}

function isToolCall(node: unknown, tools: ReadonlySet<string>): boolean {
  if (!isNode(node)) return false;
  const loaded = node.type === "CallExpression" && nameOf(node.callee) === "require" ? argumentOf(node, 0) : undefined;
  if (isNode(loaded)) return loaded.value === "proxyquire";
  if (node.type === "Identifier") return tools.has(String(node.value));
  return isToolCall(node.type === "CallExpression" ? node.callee : node.object, tools);
}

function stubKeys(node: Node, tools: ReadonlySet<string>): Node[] {
  if (node.type !== "CallExpression" || !isToolCall(node.callee, tools)) return [];
  const stubs = argumentOf(node, 1);
  const properties = isNode(stubs) && Array.isArray(stubs.properties) ? stubs.properties.filter(isNode) : [];
  return properties
    .map((property) => (property.type === "Identifier" ? property : property.key))
    .filter((key): key is Node => isNode(key) && builtinModules.has(String(key.value)));
}

/** Standard style, which is that of the packages that use it here: single quotes, and no shorthand. */
function renamed(key: Node, from: number): Edit {
  const at = key.span.start - from;
  if (key.type === "StringLiteral") return { at: at + 1, length: 0, text: "node:" };
  return { at, length: key.span.end - key.span.start, text: `'node:${String(key.value)}'` };
}
