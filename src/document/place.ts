import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from "yaml";
import type { Explained } from "./explain.ts";
import type { ParsedDocument } from "./parse-yaml.ts";
import { keyOffset } from "./plain-value.ts";
import { linesAndColumns, type Problem } from "./problem.ts";

/** Where the value at a path stands: `jobs/lint.yaml:4:3`. A path that is not there answers for its parent. */
export type Place = (path: readonly PropertyKey[]) => string;

/** Finds places in one document. Aliases lead to what they stand for. */
export function placesIn(document: ParsedDocument, aliases: ReadonlyMap<Alias, Node>) {
  return {
    problem: ({ path, at, message }: Explained): Problem => ({
      offset: offsetOf(document, aliases, path, at),
      message,
    }),
    named: (file: string, text: string): Place => {
      const shown = linesAndColumns(text);
      return (path) => `${file}:${shown(offsetOf(document, aliases, path, "value"))}`;
    },
  };
}

function offsetOf(
  document: ParsedDocument,
  aliases: ReadonlyMap<Alias, Node>,
  path: readonly PropertyKey[],
  at: "key" | "value",
): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, part] of path.entries()) {
    const step = stepInto(isAlias(node) ? aliases.get(node) : node, part);
    if (!step) return offset;
    node = step.node;
    const isKey = at === "key" && index === path.length - 1;
    offset = (isKey ? step.key : startOf(node)) ?? step.key ?? offset;
  }
  return offset;
}

function stepInto(node: unknown, part: PropertyKey): { node: unknown; key?: number } | undefined {
  if (isSeq(node) && typeof part === "number") return part < node.items.length ? { node: node.items[part] } : undefined;
  if (!isMap(node)) return undefined;
  const pair: Pair | undefined = node.items.find((item) => isScalar(item.key) && item.key.value === part);
  return pair && { node: pair.value, key: keyOffset(pair) };
}

function startOf(node: unknown): number | undefined {
  const ranged = node as { range?: [number, number, number] | null } | null | undefined;
  return ranged?.range?.[0];
}
