import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern } from "../../src/permission/pattern.ts";
import { subjectOf } from "../../src/permission/subject.ts";
import { mayOverlap } from "../../src/permission/write-overlap.ts";
import type { PathPattern } from "../../src/protocol/scope.ts";

const name = fc.constantFrom("a", "b", "A", "a.ts", "b.ts", "ab", "c.md", "é", "É");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const segment = fc.oneof(name, fc.constantFrom("**", "*", "*.ts", "a*", "?", "[ab]", "a?*", "*.md"));
const glob = fc
  .tuple(fc.constantFrom("", "/"), fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom("", "/"))
  .map(([before, segments, after]) => before + segments.join("/") + after)
  .filter((text) => !["/**", "**/"].includes(text));
const pattern: fc.Arbitrary<PathPattern> = fc.oneof(
  glob.map((text) => ({ glob: text })),
  fc.array(path, { maxLength: 3 }).map((files) => ({ files })),
  fc.array(fc.oneof(path, fc.constant("")), { maxLength: 2 }).map((directories) => ({ directories })),
);
const patterns = fc.array(pattern, { maxLength: 3 });

describe("whether two write sets could meet", () => {
  it("is never denied of two that have a path in common, whatever the case of its letters", () => {
    fc.assert(
      fc.property(patterns, patterns, path, (one, other, each) => {
        const subject = subjectOf(each, { isCaseInsensitive: true });
        const covers = (set: readonly PathPattern[]) => set.some((any) => compilePattern(any, true).covers(subject));
        if (covers(one) && covers(other)) {
          expect(mayOverlap(one, other)).toBe(true);
          expect(mayOverlap(other, one)).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("is denied of those that jobs are cut into", () => {
    const apart: [PathPattern, PathPattern][] = [
      [{ directories: ["src"] }, { directories: ["srcs", "lib"] }],
      [{ files: ["a", "b/c"] }, { files: ["b/d", "ab"] }],
      [{ glob: "src/a/**" }, { glob: "src/b/**" }],
      [{ glob: "packages/*/src/**" }, { glob: "packages/*/test/**" }],
      [{ glob: "src/*.ts" }, { glob: "src/*.md" }],
      [{ glob: "src/**" }, { directories: ["test"] }],
      [{ glob: "/*.md" }, { files: ["docs/a.md"] }],
      [{ files: [] }, { directories: [""] }],
    ];
    for (const [one, other] of apart) expect([one, other, mayOverlap([one], [other])]).toEqual([one, other, false]);
    expect(mayOverlap([], [{ directories: [""] }])).toBe(false);
  });
});
