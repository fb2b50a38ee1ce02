import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type Grant, openRun, type Run } from "./open-run.ts";

const runs: Run[] = [];
afterEach(() => {
  for (const run of runs.splice(0)) run.dispose();
});

function open(files: Readonly<Record<string, string>>, grant: Grant = { writes: [{ directories: [""] }] }): Run {
  const run = openRun(grant);
  runs.push(run);
  for (const [path, content] of Object.entries(files)) run.put(path, content);
  return run;
}

async function rewrite(run: Run, input: object) {
  const { result, fact } = await run.call("ast_rewrite", {
    pattern: "foo($A)",
    fix: "bar($A, 1)",
    language: "TypeScript",
    ...input,
  });
  const changed = fact.type === "tool.finished" ? (fact.data.changed ?? []).map(({ path }) => path) : [];
  return { said: result.content, isError: result.is_error ?? false, changed };
}

it("rewrites all matches in the files of one language, and tells what it left", async () => {
  const run = open({
    "a.ts": "foo(1); foo(foo(2));\n// foo(3)\n",
    "b/c.ts": "const x = foo('ä') + foo(y);\n",
    "d.tsx": "foo(1)\n",
    "e.ts": "nothing\n",
    "f.ts": "foo(1) = = = (\n",
  });
  const done = await rewrite(run, {});
  expect(done).toMatchObject({ isError: false, changed: ["a.ts", "b/c.ts"] });
  expect(done.said).toContain("rewrote 4 places in 2 files:\n- a.ts: 2\n- b/c.ts: 2");
  expect(done.said).toContain("left alone (3):\n- a.ts:1:13 inside another match; run again: foo(2)");
  expect(done.said).toContain("- f.ts:1:");
  expect(run.text("a.ts")).toBe("bar(1, 1); bar(foo(2), 1);\n// foo(3)\n");
  expect(run.text("b/c.ts")).toBe("const x = bar('ä', 1) + bar(y, 1);\n");
  expect(run.text("d.tsx")).toBe("foo(1)\n");
});

it("shows what it would do, and does nothing", async () => {
  const run = open({ "a.ts": "foo(1);\n" });
  expect(await rewrite(run, { dry_run: true })).toMatchObject({
    said: "would rewrite 1 place in 1 file:\n- a.ts: 1",
    changed: [],
  });
  expect(run.text("a.ts")).toBe("foo(1);\n");
  expect((await rewrite(run, { pattern: "nope($A)" })).said).toBe("nothing was rewritten: no match in 1 files");
});

it("changes only what may be edited, and follows no link out of it", async () => {
  const run = open(
    { "mine/a.ts": "foo(1);\n", "mine/keep.ts": "foo(1);\n", "other/b.ts": "foo(1);\n" },
    { writes: [{ directories: ["mine"] }], deny: ["Edit(/mine/keep.ts)"] },
  );
  writeFileSync(join(run.home, "outside.ts"), "foo(1);\n");
  symlinkSync(join(run.home, "outside.ts"), join(run.root, "mine/link.ts"));
  symlinkSync("../other", join(run.root, "mine/way"));
  expect(await rewrite(run, {})).toMatchObject({ changed: ["mine/a.ts"] });
  for (const path of ["other", "other/b.ts", "mine/keep.ts", "mine/link.ts", "mine/way/b.ts"]) {
    expect((await rewrite(run, { paths: [path] })).said, path).toMatch(/^Denied/);
  }
  for (const path of ["mine/keep.ts", "other/b.ts"]) expect(run.text(path)).toBe("foo(1);\n");
});

it("refuses patterns that are no code, and paths that are no files of the language", async () => {
  const run = open({ "a.ts": "foo(1);\n", "b.py": "foo(1)\n" });
  const said = async (input: object) => {
    const done = await rewrite(run, input);
    expect(done).toMatchObject({ isError: true, changed: [] });
    return done.said;
  };
  expect(await said({ pattern: "foo(" })).toMatch(/does not compile: .*(syntax error|missing).*To try/);
  expect(await said({ fix: "bar($B)" })).toMatch(/uses \$B, which the pattern does not bind/);
  expect(await said({ pattern: " $A " })).toMatch(/a lone variable stands for everything/);
  expect(await said({ paths: ["b.py"] })).toBe('"b.py" is no file of TypeScript, by its name');
  expect(await said({ paths: ["c.ts"] })).toBe('"c.ts" does not exist');
  expect(await said({ language: "Perl" })).toMatch(/invalid input for ast_rewrite: language/);
  expect(run.text("a.ts")).toBe("foo(1);\n");
});
