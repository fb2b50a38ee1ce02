import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "@swc/core";

/**
 * Finds what dependency-cruiser cannot see: a module named inside a type, a module chosen at run time, Node's side
 * doors to its own modules, and the environment under another name. It judges syntax alone and follows nothing.
 */
export interface Finding {
  rule: string;
  from: string;
  to: string;
}

/** `folders` are relative to `root`. */
export function hiddenImports(root: string, folders: readonly string[]): Finding[] {
  return folders.flatMap((folder) => sources(root, folder).flatMap((file) => findingsIn(root, file)));
}

function sources(root: string, folder: string): string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

function findingsIn(root: string, from: string): Finding[] {
  const module = parseSync(readFileSync(join(root, from), "utf8"), { syntax: "typescript", target: "es2024" });
  const findings: Finding[] = [];
  walk(module, (node) => {
    const found = judge(node);
    if (found && !(exceptions[found.rule] ?? []).includes(from)) findings.push({ ...found, from });
  });
  return findings;
}

type Node = Readonly<Record<string, unknown>>;

const exceptions: Readonly<Record<string, readonly string[]>> = {
  // drizzle by its CommonJS build, with the types of the other.
  "no-import-out-of-sight": ["src/bin.ts", "src/db/drizzle.ts"],
  "environment-is-handed-over-by-main": ["src/config.ts", "src/main.ts"],
  "environment-is-read-in-config": ["src/config.ts"],
};
const sideDoors = ["createRequire", "getBuiltinModule", "_load", "eval"];

function judge(node: Node): Omit<Finding, "from"> | undefined {
  if (node.type === "TsImportType") return { rule: "no-import-inside-a-type", to: text(node.argument) };
  if (node.type === "CallExpression" && isImport(node.callee) && !isLiteral(firstArgument(node))) {
    return { rule: "no-import-out-of-sight", to: "a module named at run time" };
  }
  if (node.type === "Identifier" && sideDoors.includes(text(node))) {
    return { rule: "no-import-out-of-sight", to: text(node) };
  }
  if (readsVariable(node)) return { rule: "environment-is-read-in-config", to: "process.env" };
  return isEnvironment(node) ? { rule: "environment-is-handed-over-by-main", to: "process.env" } : undefined;
}

/** `process.env.HOME`, or the environment under another name. */
function readsVariable(node: Node): boolean {
  if (node.type === "MemberExpression") return isNode(node.object) && isEnvironment(node.object);
  if (node.type === "VariableDeclarator") {
    if (text(node.init) === "process") return namesEnv(node.id);
    return isNode(node.init) && isEnvironment(node.init);
  }
  return node.type === "ImportDeclaration" && /^(node:)?process$/.test(text(node.source)) && namesEnv(node.specifiers);
}

function isEnvironment(node: Node): boolean {
  return node.type === "MemberExpression" && text(node.object) === "process" && text(node.property) === "env";
}

function namesEnv(pattern: unknown): boolean {
  let found = false;
  walk(pattern, (node) => {
    if (node.type === "Identifier" && text(node) === "env") found = true;
  });
  return found;
}

function isImport(callee: unknown): boolean {
  return isNode(callee) && (callee.type === "Import" || text(callee) === "require");
}

function firstArgument(call: Node): unknown {
  const first: unknown = Array.isArray(call.arguments) ? call.arguments[0] : undefined;
  return isNode(first) ? first.expression : undefined;
}

function isLiteral(argument: unknown): boolean {
  return isNode(argument) && argument.type === "StringLiteral";
}

/** The name of an identifier or the value of a literal; a computed property (`process["env"]`) is seen through. */
function text(node: unknown): string {
  if (!isNode(node)) return "";
  if (node.type === "Computed") return text(node.expression);
  return typeof node.value === "string" ? node.value : "";
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit);
  else if (isNode(value)) {
    visit(value);
    for (const child of Object.values(value)) walk(child, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
