import type { StoredSpan } from "../protocol/span.ts";

export interface SpanNode {
  span: StoredSpan;
  /** In order of start. */
  children: SpanNode[];
}

/**
 * The trees that stored spans form, in order of start. A span whose parent is not among the rows (a caller's, or one
 * that was never written) is a root; so no span is left out, whatever the rows are.
 */
export function spanTree(rows: readonly StoredSpan[]): SpanNode[] {
  const nodes = new Map<string, SpanNode>();
  for (const span of rows) nodes.set(keyOf(span.trace_id, span.span_id), { span, children: [] });
  const ordered = inOrder(nodes.values());
  const tops: SpanNode[] = [];
  for (const node of ordered) (parentOf(node, nodes)?.children ?? tops).push(node);
  const reached = new Set<SpanNode>();
  for (const top of tops) reach(top, reached);
  // Only spans that name each other as parents are left: the first of each circle becomes a root.
  for (const node of ordered) {
    if (reached.has(node)) continue;
    tops.push(node);
    reach(node, reached);
  }
  return tops;
}

function reach(from: SpanNode, reached: Set<SpanNode>): void {
  const next = [from];
  reached.add(from);
  for (let node = next.pop(); node; node = next.pop()) {
    node.children = node.children.filter((child) => !reached.has(child));
    for (const child of node.children) reached.add(child);
    for (const child of node.children) next.push(child);
  }
}

type Nodes = ReadonlyMap<string, SpanNode>;

function keyOf(traceId: string, spanId: string): string {
  return traceId + spanId;
}

function parentOf({ span }: SpanNode, nodes: Nodes): SpanNode | undefined {
  return span.parent_span_id === undefined ? undefined : nodes.get(keyOf(span.trace_id, span.parent_span_id));
}

function inOrder(nodes: Iterable<SpanNode>): SpanNode[] {
  return [...nodes].sort((one, other) => {
    const difference = BigInt(one.span.start_ns) - BigInt(other.span.start_ns);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    return one.span.span_id < other.span.span_id ? -1 : 1;
  });
}
