import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { commandText } from "../../src/sandbox/command-ending.ts";
import type { Command } from "../../src/sandbox/driver.ts";
import { createExternal } from "../../src/sandbox/external.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sheaf-words-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sandbox = createExternal({ env: { PATH: "/usr/bin:/bin", HOME: "/nowhere" }, now: Date.now });
const run = (words: readonly string[], more: Partial<Command> = {}) =>
  sandbox.run({ run: words, cwd: folder, timeoutMs: 20_000, signal: new AbortController().signal, ...more });

it("hands the words of a list on as they are: no shell looks at them", async () => {
  const odd = ["$HOME", "`id`", "a b", "", "*", "; exit 9", "\n", "'\"\\"];
  const ended = await run(["printf", "[%s]", ...odd]);
  expect(ended).toMatchObject({ exit: 0, signal: null });
  expect(ended.output.toString()).toBe(odd.map((word) => `[${word}]`).join(""));
});

it("adds variables, and lets none of them replace what the operator's surroundings set", async () => {
  const env = { GIVEN: "a\nb", PATH: folder, HOME: "/elsewhere" };
  const ended = await run(["sh", "-c", 'printf "%s|%s|%s" "$GIVEN" "$PATH" "$HOME"'], { env });
  expect(ended.output.toString()).toBe("a\nb|/usr/bin:/bin|/nowhere");
});

it("says 127 of a program that is not there, and 126 of one that cannot be run, as a shell does", async () => {
  writeFileSync(join(folder, "plain"), "text", { mode: 0o644 });
  const missing = await run(["no-such-program", "x"]);
  expect(missing).toMatchObject({ exit: 127, signal: null, isTimedOut: false });
  expect(missing.output.toString()).toContain('"no-such-program": no such program');
  expect(await run(["./plain"])).toMatchObject({ exit: 126 });
  expect(await run(["./plain/below"])).toMatchObject({ exit: 127 });
  expect(await run(["true", "a\0b"])).toMatchObject({ exit: 126 });
});

it("says what is wrong with more words than the system takes", async () => {
  const ended = await run(["true", ...Array.from({ length: 60_000 }, (_, index) => `${index}`.padStart(60, "x"))]);
  expect(ended).toMatchObject({ exit: 126 });
  expect(ended.output.toString()).toMatch(/longer than the system takes; give each task fewer files/);
});

it("shows a list as words that can be told apart", () => {
  expect(commandText(["npx", "--no-install", "eslint", "src/a b.js", ""])).toBe(
    'npx --no-install eslint "src/a b.js" ""',
  );
});
