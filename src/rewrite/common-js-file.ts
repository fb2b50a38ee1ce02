import ts from "@typescript/typescript6";
import { type Exports, exportsOf } from "./common-js-exports.ts";
import { hazardsOf } from "./common-js-hazards.ts";
import { type Load, loadsOf } from "./common-js-loads.ts";
import { type Problem, problemAt } from "./common-js-problem.ts";
import { isModuleStatement } from "./file-kind.ts";
import { buildScopes, type ScopeTree } from "./scope-tree.ts";
import type { SyntaxFile } from "./syntax-file.ts";

/**
 * What one CommonJS file loads and exports, and all that keeps it from being an ES module that does the same. Every use
 * of Node's five names must be understood: one that is not is a problem of the whole file.
 */
export interface CommonJsFile extends SyntaxFile {
  scopes: ScopeTree;
  loads: Load[];
  exports: Exports;
  problems: Problem[];
}

const nodesNames = ["require", "module", "exports", "__dirname", "__filename"] as const;

/** Undefined for a file in which nothing belongs to CommonJS. */
export function readCommonJs(file: SyntaxFile): CommonJsFile | undefined {
  const scopes = buildScopes(file.tree);
  if (!nodesNames.some((name) => scopes.free.has(name))) return undefined;
  const { loads, problems: ofLoads } = loadsOf(file.tree, scopes);
  const { exports, problems: ofExports } = exportsOf(scopes);
  const problems = [
    ...ofLoads,
    ...ofExports,
    ...mixed(file.tree, exports),
    ...foldersOf(scopes),
    ...hazardsOf(file.tree, scopes),
  ];
  return { ...file, scopes, loads, exports, problems: problems.toSorted((one, other) => one.start - other.start) };
}

function foldersOf({ free }: ScopeTree): Problem[] {
  const meant = { __dirname: "import.meta.dirname", __filename: "import.meta.filename" };
  return Object.entries(meant).flatMap(([name, instead]) =>
    (free.get(name) ?? []).map((use) =>
      problemAt(use, `an ES module has no ${name}; write ${instead} where your Node has it`),
    ),
  );
}

function mixed({ statements }: ts.SourceFile, exports: Exports): Problem[] {
  if (exports.kind === "none") return [];
  const other = statements.find((one) => isModuleStatement(one) && !ts.isImportDeclaration(one));
  return other ? [problemAt(other, "it exports as an ES module too")] : [];
}
