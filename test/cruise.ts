import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from "dependency-cruiser";
import { type Finding, hiddenImports } from "./hidden-imports.ts";

/**
 * Holds a tree of sources to test/architecture.cjs. It reads the tree twice: once as written, for ranks and owners,
 * and once as a worker thread would load it, with vendor packages followed and type imports left out.
 */
export interface Architecture {
  /** How many modules each reading saw: none would mean that nothing was checked. */
  modules: { tree: number; thread: number };
  violations: Finding[];
}

interface Law {
  tree: IFlattenedRuleSet["forbidden"];
  threads: IFlattenedRuleSet["forbidden"];
  notFollowedInThreads: string;
}

const require = createRequire(import.meta.url);
const law: Law = require("./architecture.cjs");
teachUsing(require("@swc/core/Visitor.js").Visitor.prototype);

/** `root` is a folder that holds src/ and workers/. */
export async function cruiseArchitecture(root: string): Promise<Architecture> {
  const tree = await read(root, ["src", "workers"], law.tree, { path: "(^|/)node_modules/" });
  const thread = await read(root, ["workers"], law.threads, {
    path: law.notFollowedInThreads,
    dependencyTypes: ["type-only"],
  });
  const violations = [...violationsOf(tree), ...violationsOf(thread), ...hiddenImports(root, ["src", "workers"])];
  return { modules: { tree: tree.summary.totalCruised, thread: thread.summary.totalCruised }, violations };
}

async function read(
  root: string,
  folders: string[],
  forbidden: Law["tree"],
  doNotFollow: { path: string; dependencyTypes?: "type-only"[] },
): Promise<ICruiseResult> {
  const present = folders.filter((folder) => existsSync(resolve(root, folder)));
  const result = await cruise(
    present,
    { baseDir: root, parser: "swc", validate: true, ruleSet: { forbidden: forbidden ?? [] }, doNotFollow },
    { exportsFields: ["exports"], conditionNames: ["node", "import", "require", "default"], mainFields: ["main"] },
  );
  if (typeof result.output === "string") throw new Error(result.output);
  return result.output;
}

function violationsOf({ summary }: ICruiseResult): Finding[] {
  return summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }));
}

interface Visitor {
  visitStatement(statement: { type: string; decls?: unknown }): unknown;
  visitVariableDeclarators(declarators: unknown): unknown;
}

/** swc's visitor, which dependency-cruiser walks with, stops at `using` and `await using`; it only lacks this case. */
function teachUsing(visitor: Visitor): void {
  const visitStatement = visitor.visitStatement;
  visitor.visitStatement = function (statement) {
    if (statement.type !== "UsingDeclaration") return visitStatement.call(this, statement);
    this.visitVariableDeclarators(statement.decls);
    return statement;
  };
}

if (import.meta.main) {
  const { modules, violations } = await cruiseArchitecture(resolve(import.meta.dirname, ".."));
  for (const { rule, from, to } of violations) console.error(`${rule}: ${from} -> ${to}`);
  if (modules.tree === 0 || modules.thread === 0) console.error("no module was read: nothing was checked");
  if (violations.length > 0 || modules.tree === 0 || modules.thread === 0) process.exitCode = 1;
}
