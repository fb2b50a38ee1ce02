import fc from "fast-check";
import { expect, test } from "vitest";
import type { StoredSpan } from "../../src/protocol/span.ts";
import { type SpanNode, spanTree } from "../../src/telemetry/span-tree.ts";

function row(id: number, parent: number | undefined, start: number): StoredSpan {
  return {
    trace_id: "a".repeat(32),
    span_id: id.toString(16).padStart(16, "0"),
    ...(parent === undefined ? {} : { parent_span_id: parent.toString(16).padStart(16, "0") }),
    job_id: "job-1",
    name: `span ${id}`,
    kind: "internal",
    start_ns: String(start),
    dur_ns: null,
    status: "unset",
    attributes: {},
    events: [],
    links: [],
  };
}

function flat(nodes: readonly SpanNode[]): SpanNode[] {
  return nodes.flatMap((node) => [node, ...flat(node.children)]);
}

test("children hang below their parents in order of start, whatever order the rows came in", () => {
  const roots = spanTree([row(3, 1, 30), row(2, 1, 20), row(4, 2, 40), row(1, undefined, 10), row(5, 99, 50)]);
  const outline = (node: SpanNode): unknown => [node.span.name, ...node.children.map(outline)];
  expect(roots.map(outline)).toEqual([["span 1", ["span 2", ["span 4"]], ["span 3"]], ["span 5"]]);
});

test("every row is in the tree exactly once, even where rows name each other as parents", () => {
  const parent = fc.option(fc.nat({ max: 12 }), { nil: undefined });
  const rows = fc.array(fc.tuple(parent, fc.nat({ max: 5 })), { maxLength: 12 });
  fc.assert(
    fc.property(rows, (given) => {
      const spans = given.map(([above, start], index) => row(index, above, start));
      const ids = flat(spanTree(spans)).map((node) => node.span.span_id);
      expect(ids.sort()).toEqual(spans.map((span) => span.span_id).sort());
    }),
  );
});
