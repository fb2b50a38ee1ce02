import fc from "fast-check";
import { expect, test } from "vitest";
import { createNames } from "../../src/merge/names.ts";

const added = (...paths: string[]) => ({ added: paths, removed: [] });
const fileClash = (name: string) => ({ kind: "file and directory clash", names: [name, name] });
const caseClash = (name: string, other: string) => ({ kind: "names differ only by case", names: [name, other] });

test("a name cannot be a file and a directory, whichever comes first and whoever brought it", () => {
  expect(createNames(["d/x"], ["d"]).take(added("d"))).toEqual(fileClash("d"));
  expect(createNames(["d"], ["d/x"]).take(added("d/x"))).toEqual(fileClash("d"));
  const names = createNames([], ["a/b", "a/b/c"]);
  expect(names.take(added("a/b"))).toBeUndefined();
  expect(names.take(added("a/b/c"))).toEqual(fileClash("a/b"));
  expect(createNames([], ["q", "q/r"]).take(added("q", "q/r"))).toEqual(fileClash("q"));
});

test("a removal makes room for what comes with it or after it, and not for what came before", () => {
  const names = createNames(["d/x", "d/y"], ["d"]);
  expect(names.take({ added: ["d"], removed: ["d/x"] })).toEqual(fileClash("d"));
  expect(names.take({ added: [], removed: ["d/y"] })).toBeUndefined();
  expect(names.take({ added: ["d"], removed: ["d/x"] })).toBeUndefined();
});

test("files and directories that differ only by case clash, in letters of any language and either normal form", () => {
  expect(createNames(["README"], ["readme"]).take(added("readme"))).toEqual(caseClash("readme", "README"));
  expect(createNames(["docs/a"], ["Docs/b"]).take(added("Docs/b"))).toEqual(caseClash("Docs", "docs"));
  const latin1 = (text: string) => Buffer.from(text).toString("latin1");
  const pair = [latin1("É"), latin1("e\u0301")] as const;
  expect(createNames([pair[0]], [pair[1]]).take(added(pair[1]))).toEqual(caseClash(pair[1], pair[0]));
  expect(createNames(["\xe9"], ["\xc9"]).take(added("\xc9"))).toBeUndefined();
});

test("clashes that the base already has are nobody's fault, and renaming the case of a file is no clash", () => {
  const names = createNames(["README", "readme", "src/a", "SRC/a"], ["src/b", "Readme", "readme"]);
  expect(names.take(added("src/b"))).toBeUndefined();
  expect(names.take({ added: ["Readme"], removed: ["README", "readme"] })).toBeUndefined();
});

test("what was refused leaves no trace: the same names answer the next question as if it had not been asked", () => {
  const path = fc.constantFrom("a", "A", "b", "b/c", "B/c", "b/d", "b/c/e");
  const change = fc.record({
    add: fc.uniqueArray(path, { maxLength: 3 }),
    drop: fc.uniqueArray(path, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 3 }), fc.array(change, { maxLength: 6 }), (base, changes) => {
      const all = ["a", "A", "b", "b/c", "B/c", "b/d", "b/c/e"];
      const names = createNames(base, all);
      let live = new Set(base);
      for (const { add, drop } of changes) {
        const fresh = add.filter((name) => !live.has(name));
        const gone = drop.filter((name) => live.has(name) && !add.includes(name));
        const next = new Set([...live].filter((name) => !gone.includes(name)).concat(fresh));
        const clash = names.take({ added: fresh, removed: gone });
        expect(clash === undefined).toBe(fresh.length === 0 || isFree(live, next, fresh));
        if (clash === undefined) live = next;
      }
    }),
  );
});

/** The same rule, from the sets alone. */
function isFree(before: ReadonlySet<string>, after: ReadonlySet<string>, fresh: readonly string[]): boolean {
  const partsOf = (path: string) => path.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/"));
  const had = new Set([...before].flatMap(partsOf));
  const has = new Set([...after].flatMap(partsOf));
  return fresh.flatMap(partsOf).every((name) => {
    const isBoth = after.has(name) && [...after].some((path) => path.startsWith(`${name}/`));
    const isTwin = [...has].some((other) => other !== name && other.toLowerCase() === name.toLowerCase());
    return !isBoth && (had.has(name) || !isTwin);
  });
}
