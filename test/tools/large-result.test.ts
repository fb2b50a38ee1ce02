import { afterEach, expect, it } from "vitest";
import { openRun, type Run } from "./open-run.ts";

let run: Run;
afterEach(() => run.dispose());

it("a result that is too long is kept, and read page by page, by the run it was made for", async () => {
  run = openRun({ writes: [{ directories: [""] }] });
  for (let index = 0; index < 190; index++) run.put(`${"n".repeat(200)}${index}.ts`, "foo(1);\n");
  const input = { pattern: "foo($A)", fix: "bar($A)", language: "TypeScript", dry_run: true };
  const { result, fact } = await run.call("ast_rewrite", input);
  const [, path = ""] =
    /characters left out; read \{"file_path": "(artifact:[0-9a-f]{64})"\}/.exec(result.content) ?? [];
  expect(result.content.length).toBeLessThan(13_000);
  expect(result.content).toMatch(/^would rewrite 190 places in 190 files:\n- n+0.ts: 1\n/);
  expect(result.content).toMatch(/\n- n+99.ts: 1$/);
  expect(fact).toMatchObject({ data: { content: result.content, pointer: { path, sha256: path.slice(9) } } });

  const page = await run.call("read", { file_path: path, view_range: [100, 101] });
  expect(page.result.content).toMatch(/^ {3}100\t- n+\d+.ts: 1\n {3}101\t- n+\d+.ts: 1$/);
  expect(page.fact).toMatchObject({ data: { pointer: { path, view_range: [100, 101] } } });
  const whole = await run.call("read", { file_path: path });
  expect(whole.result.content).toContain("read on with view_range");

  const unknown = await run.call("read", { file_path: `artifact:${"0".repeat(64)}` });
  expect(unknown.result).toMatchObject({
    is_error: true,
    content: expect.stringMatching(/there is no artifact:0+ of this run/),
  });
  expect((await run.call("read", { file_path: "artifact:abc" })).result.content).toContain("does not exist");
});
