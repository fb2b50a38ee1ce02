import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { foldSketches, type Ground, openGround } from "./ground.ts";

/** Sources that nobody here wrote, with the edits that refactoring tasks make. */
const root = join(import.meta.dirname, "../../node_modules/undici/lib/dispatcher");

let ground: Ground;
const base: Record<string, string> = {};
beforeAll(async () => {
  ground = await openGround();
  for (const name of await readdir(root)) base[`lib/${name}`] = await readFile(join(root, name), "utf8");
});
afterAll(() => ground[Symbol.asyncDispose]());

const file = "lib/client.js";
const source = () => base[file] ?? "";
const withFile = (text: string) => ({ ...base, [file]: text });
const bytes = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [path, Buffer.from(text).toString("latin1")]));

function addImport(text: string, line: string): string {
  return text.replace(/^(?=const )/m, () => `${line}\n`);
}

/** An edit in the last function of the file, far from its imports. */
function editEnd(text: string): string {
  const at = text.lastIndexOf("\nmodule.exports");
  return `${text.slice(0, at)}\n// reviewed\n${text.slice(at)}`;
}

test("two tasks that add an import at the same place conflict: both imports are in the report", async () => {
  const first = addImport(source(), "const { one } = require('./one')");
  const second = addImport(source(), "const { two } = require('./two')");
  const folded = await foldSketches(ground, base, [withFile(first), withFile(second)]);
  expect(folded.files).toEqual(bytes(withFile(first)));
  expect(folded.leftOut).toMatchObject([
    { taskId: "part-2", with: ["part-1"], paths: [file], reason: "edits overlap" },
  ]);
  expect(folded.leftOut[0]?.hunks).toContain("<<<<<<< part-1\nconst { one } = require('./one')\n");
  expect(folded.leftOut[0]?.hunks).toContain("=======\nconst { two } = require('./two')\n>>>>>>> part-2\n");
});

test("the same import added by both is one import, and edits far apart in one file are both there", async () => {
  const line = "const { one } = require('./one')";
  const both = addImport(editEnd(source()), line);
  const folded = await foldSketches(ground, base, [withFile(addImport(source(), line)), withFile(both)]);
  expect(folded).toMatchObject({ out: [], files: bytes(withFile(both)) });
  const apart = await foldSketches(ground, base, [withFile(addImport(source(), line)), withFile(editEnd(source()))]);
  expect(apart).toMatchObject({ out: [], files: bytes(withFile(both)) });
});

test("one task moves a file and mends those who load it, others go on editing all of them", async () => {
  const moved: Record<string, string> = {};
  for (const [path, text] of Object.entries(base)) {
    moved[path === file ? "lib/core/client.js" : path] = text.replaceAll("'./client'", "'./core/client'");
  }
  const ends = Object.fromEntries(Object.entries(base).map(([path, text]) => [path, editEnd(text)]));
  const folded = await foldSketches(ground, base, [moved, withFile(editEnd(source())), ends]);
  const expected = Object.fromEntries(Object.entries(moved).map(([path, text]) => [path, editEnd(text)]));
  expect(folded).toMatchObject({ out: [], files: bytes(expected) });
});
