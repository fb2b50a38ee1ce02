import type { SpanNode } from "../telemetry/span-tree.ts";
import { duration, oneLine } from "./words.ts";

/** Spans as an indented tree: name, how long, and what went wrong. */
export function renderTree(roots: readonly SpanNode[]): string[] {
  const lines: string[] = [];
  const visit = (node: SpanNode, indent: string, isLast: boolean, isRoot: boolean): void => {
    const branch = isRoot ? "" : isLast ? "└ " : "├ ";
    lines.push(`${indent}${branch}${describe(node)}`);
    const deeper = isRoot ? "" : `${indent}${isLast ? "  " : "│ "}`;
    for (const child of node.children) visit(child, deeper, child === node.children.at(-1), false);
  };
  for (const root of roots) visit(root, "", true, true);
  return lines;
}

function describe({ span }: SpanNode): string {
  const took = span.dur_ns === null ? "open" : duration(Number(BigInt(span.dur_ns) / 1_000n) / 1_000);
  const wrong = span.status === "error" ? `  ERROR ${oneLine(span.status_message ?? "", 100)}` : "";
  return `${oneLine(span.name, 100)}  ${took}${wrong}`;
}
