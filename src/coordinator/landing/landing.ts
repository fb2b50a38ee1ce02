import type { CheckResult, Reason } from "../../protocol/result.ts";

/** What landing came to. */
export interface Landing {
  /** The folded tree and its commit; null when nothing was folded or the checks were red. */
  tree: string | null;
  commit: string | null;
  landed: ReadonlySet<string>;
  /** Tasks that delivered and yet are not in the tree, with the reason. */
  leftOut: ReadonlyMap<string, Reason>;
  checks: readonly CheckResult[];
}

export const nothingLanded: Landing = { tree: null, commit: null, landed: new Set(), leftOut: new Map(), checks: [] };
