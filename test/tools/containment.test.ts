import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRun, type Run, sha256 } from "./open-run.ts";

const part = fc.constantFrom("a", "b", "l", "..", ".", "secret", "n\nl");
const path = fc.oneof(
  { weight: 4, arbitrary: fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/")) },
  { weight: 1, arbitrary: fc.constantFrom("OUT/secret", "/etc/passwd", "ROOT/../outside/secret", "ROOT/l/secret") },
);
const target = fc.oneof(path, fc.constantFrom("OUT", "../outside", "../../outside", "ROOT/..", "ROOT/a", "/", "l"));
const tree = fc.array(
  fc.record({
    at: fc.constantFrom("a", "b", "l", "a/l", "a/b", "b/l", "a/secret", "b/secret", "n\nl"),
    is: fc.oneof(
      fc.constant("file"),
      fc.constant("folder"),
      target.map((link) => ({ link })),
    ),
  }),
  { maxLength: 9 },
);
const call = fc.record({
  tool: fc.constantFrom("read", "write", "edit", "delete", "apply_edits", "list", "glob"),
  path,
});

function grow(
  run: Run,
  plan: readonly { at: string; is: string | { link: string } }[],
  named: (text: string) => string,
) {
  for (const { at, is } of plan) {
    try {
      if (!lstatSync(dirname(join(run.root, at))).isDirectory()) continue;
      if (is === "file") writeFileSync(join(run.root, at), "inside", { flag: "wx" });
      else if (typeof is === "string") mkdirSync(join(run.root, at));
      else symlinkSync(named(is.link), join(run.root, at));
    } catch {}
  }
}

function inputOf(tool: string, at: string): unknown {
  if (tool === "list") return { path: at };
  if (tool === "glob") return { path: at, pattern: "**" };
  if (tool === "write") return { file_path: at, content: "written" };
  if (tool === "edit") return { file_path: at, old_string: "OUTSIDE", new_string: "written" };
  const edits = [{ start: 0, end: 1, text: "written" }];
  if (tool === "apply_edits") return { files: [{ file_path: at, expect_sha256: sha256("OUTSIDE"), edits }] };
  return { file_path: at };
}

function startOver(run: Run, outside: string): void {
  for (const folder of [run.root, outside]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }
  writeFileSync(join(outside, "secret"), "OUTSIDE");
}

function expectUntouched(run: Run, outside: string): void {
  expect(readdirSync(run.home).toSorted()).toEqual(["outside", "root", "scratch"]);
  expect(readdirSync(outside)).toEqual(["secret"]);
  expect(readFileSync(join(outside, "secret"), "utf8")).toBe("OUTSIDE");
  expect(readdirSync(run.scratch)).toEqual([]);
}

describe("over any tree of symlinks", () => {
  let run: Run;
  beforeAll(() => {
    run = openRun({ writes: [{ directories: [""] }] });
  });
  afterAll(() => run.dispose());

  it("no tool reads, changes or lists anything outside the root", async () => {
    const outside = join(run.home, "outside");
    const named = (text: string) => text.replace("OUT", outside).replace("ROOT", run.root);
    await fc.assert(
      fc.asyncProperty(tree, fc.array(call, { minLength: 5, maxLength: 12 }), async (plan, calls) => {
        startOver(run, outside);
        grow(run, plan, named);
        for (const { tool, path: asked } of calls) {
          const { result } = await run.call(tool, inputOf(tool, named(asked)));
          if (!result.is_error) expect(result.content).not.toMatch(/OUTSIDE|passwd|outside/);
        }
        expectUntouched(run, outside);
      }),
      { numRuns: 120 },
    );
  });
});
