import { expect, test } from "vitest";
import { admit } from "../../src/merge/admit.ts";
import type { Decision } from "../../src/protocol/scope.ts";
import { rawOf, toRaw } from "../../src/workspace/raw-path.ts";

const file = { mode: "100644", oid: "1".repeat(40) };
const module = { mode: "160000", oid: "2".repeat(40) };

function decide(path: string): Decision {
  const isInside = path.startsWith("src/");
  const rule = isInside ? "Edit(src/**)" : "no rule";
  return { effect: isInside ? "allow" : "deny", rule, source: "task", reason: isInside ? "" : `${path} is outside` };
}

test("a tree whose every path is in the scope is admitted, and so is an empty diff", () => {
  const changes = [
    { path: toRaw("src/a é.ts"), before: file, after: null },
    { path: toRaw("src/b\n.ts"), before: null, after: file },
  ];
  expect(admit(changes, decide)).toEqual({ admitted: true });
  expect(admit([], decide)).toEqual({ admitted: true });
});

test("one path outside the scope keeps the whole tree out, with the rule that says so and how many more there are", () => {
  const at = (path: string) => ({ path: toRaw(path), before: file, after: null });
  expect(admit([at("src/a"), at("../x"), at("test/y")], decide)).toEqual({
    admitted: false,
    path: "../x",
    reason: "../x is outside",
    rule: "no rule",
    source: "task",
    others: 1,
  });
});

test("a submodule is neither added, moved, removed nor replaced by a file, not even inside the scope", () => {
  const path = toRaw("src/module");
  const other = { ...module, oid: "3".repeat(40) };
  for (const [before, after] of [
    [null, module],
    [module, other],
    [module, null],
    [module, file],
    [file, module],
  ] as const) {
    expect(admit([{ path, before, after }], () => decide("src/"))).toMatchObject({
      admitted: false,
      rule: "submodule",
    });
  }
});

test("a name that is not UTF-8 is refused before any rule is asked, and shown with its bytes", () => {
  const asked: string[] = [];
  const answer = admit([{ path: rawOf("src/\xff.ts"), before: file, after: null }], (path) => {
    asked.push(path);
    return decide(path);
  });
  expect(answer).toMatchObject({ admitted: false, path: "src/\\xff.ts", rule: "not UTF-8" });
  expect(asked).toEqual([]);
});
