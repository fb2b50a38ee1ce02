import fc from "fast-check";
import { expect, it } from "vitest";
import { Fault } from "../../src/protocol/failure.ts";
import { indexOf, openIndex } from "../../src/split/file-index.ts";
import { viewOf } from "./view.ts";

const names = fc.constantFrom("a", "ab", "b.ts", "a b", "aa.ts", "[a]", "é", "x");
const paths = fc.uniqueArray(
  fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
  { maxLength: 20 },
);
const pieces = fc.constantFrom("a", "b", "*", "?", "**", "/", ".ts", "[ab]", "\\\\a", " ", "é", "aa");
const globs = fc.array(pieces, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(""));

it("an index knows of exactly the files that a glob covers, asked once or twice", () => {
  fc.assert(
    fc.property(paths, globs, (files, glob) => {
      const view = viewOf(files);
      const expected = () => view.files.filter((path) => view.matches({ glob }, path));
      try {
        expected();
      } catch (thrown) {
        if (thrown instanceof Fault) return;
        throw thrown;
      }
      const index = indexOf(view);
      expect(index.covered({ glob })).toEqual(expected());
      expect(index.covered({ glob })).toEqual(expected());
    }),
    { numRuns: 2_000 },
  );
});

it("a glob is compared with the files once, however often and by whomever it is asked", () => {
  let compared = 0;
  const plain = viewOf(Array.from({ length: 500 }, (_, at) => `src/${at}.ts`));
  const view = {
    ...plain,
    matches: (...given: Parameters<typeof plain.matches>) => {
      compared += 1;
      return plain.matches(...given);
    },
  };
  for (let time = 0; time < 5; time++) expect(indexOf(view).covered({ glob: "src/*.ts" })).toHaveLength(500);
  expect(compared).toBe(500);
  // What cannot hold its plain words is not compared at all.
  expect(openIndex(view).covered({ glob: "src/*7.ts" })).toHaveLength(50);
  expect(compared).toBe(550);
});
