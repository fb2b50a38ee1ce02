import type { SgNode } from "@ast-grep/napi";

/** Whether a comment in the file asks that the rule `id` leave a match starting on `line` (0-based) alone. */
export type Suppressed = (line: number, id: string) => boolean;

const marker = "ast-grep-ignore";

/**
 * ast-grep's own comments: `// ast-grep-ignore` or `// ast-grep-ignore: id, id`, on the line or on the one above;
 * on the first line, with an empty second one, it is about the whole file.
 */
export function suppressionsIn(root: SgNode, text: string): Suppressed {
  if (!text.includes(marker)) return () => false;
  const byLine = new Map<number, ReadonlySet<string> | "all">();
  let wholeFile: ReadonlySet<string> | "all" | undefined;
  for (const comment of root.findAll({ rule: { kind: "comment", regex: marker } })) {
    const { line } = comment.range().start;
    const ids = idsIn(comment.text());
    const isBesideCode = comment.prev()?.range().start.line === line;
    if (line === 0 && !isBesideCode && (comment.next()?.range().start.line ?? 0) >= 2) wholeFile = ids;
    byLine.set(isBesideCode ? line : line + 1, ids);
  }
  const holds = (ids: ReadonlySet<string> | "all" | undefined, id: string) => ids === "all" || ids?.has(id) === true;
  return (line, id) => holds(wholeFile, id) || holds(byLine.get(line), id);
}

function idsIn(comment: string): ReadonlySet<string> | "all" {
  const [, after = ""] = comment.trim().split(marker, 2);
  const colon = after.indexOf(":");
  if (colon === -1) return "all";
  const ids = after.slice(colon + 1).split(",");
  return new Set(ids.map((id) => id.trim()));
}
