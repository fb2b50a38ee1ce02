import { expect, test } from "vitest";
import { hunksOf, writeSections } from "../../src/merge/hunks.ts";

const ours = "a".repeat(40);
const theirs = "b".repeat(40);
const labels = { ours, theirs, there: "part-1", here: "part-2" };
const conflict = [`<<<<<<< ${ours}`, "one", "||||||| abcdef0", "base", "=======", "two", `>>>>>>> ${theirs}`];
const plain = (count: number) => Array.from({ length: count }, (_, line) => `plain ${line}`);

test("a hunk has three lines around it, its line number, and tasks for labels", () => {
  expect(hunksOf([...plain(5), ...conflict, "end", ""].join("\n"), labels)).toBe(
    "@@ line 3 @@\nplain 2\nplain 3\nplain 4\n<<<<<<< part-1\none\n||||||| base\nbase\n=======\ntwo\n>>>>>>> part-2\nend\n",
  );
});

test("hunks that are close are shown as one, hunks that are far are two", () => {
  const count = (text: string) => text.split("@@ line").length - 1;
  expect(count(hunksOf([...conflict, ...plain(5), ...conflict].join("\n"), labels))).toBe(1);
  expect(count(hunksOf([...conflict, ...plain(9), ...conflict].join("\n"), labels))).toBe(2);
});

test("markers that a file holds as its own content are no conflict", () => {
  expect(hunksOf("<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> other\n", labels)).toBe("");
});

test("long sections are cut at a line and counted, and so are too many of them", () => {
  const long = { title: "long", body: `${"x".repeat(99)}\n`.repeat(100) };
  expect(writeSections([long])).toMatch(/^long\n(x{99}\n){40}\.\.\. 60 more lines\n$/);
  const many = writeSections(Array.from({ length: 50 }, () => long));
  expect(many.length).toBeLessThan(33_000);
  expect(many).toMatch(/\.\.\. and 4\d more paths\n$/);
  expect(writeSections([{ title: "wide", body: "y".repeat(9_000) }]).length).toBeLessThan(4_100);
});
