import type ts from "@typescript/typescript6";

/** Why a file has to stay as it is, and where. */
export interface Problem {
  start: number;
  end: number;
  reason: string;
}

export function problemAt(node: ts.Node, reason: string): Problem {
  return { start: node.getStart(), end: node.end, reason };
}
