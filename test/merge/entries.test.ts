import { afterAll, beforeAll, expect, test } from "vitest";
import { foldSketches, type Ground, openGround } from "./ground.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground[Symbol.asyncDispose]());

const lines = (...text: string[]) => `${text.join("\n")}\n`;
const long = Array.from({ length: 14 }, (_, line) => `line ${line}`);
const edited = (at: number, text: string) => lines(...long.with(at, text));

test("identical changes are clean and counted: edits, additions with the same mode, deletions", async () => {
  const base = { a: "a", b: "b", c: "c" };
  const one = { a: "A", b: "b", n: "exec:new" };
  const two = { a: "A", b: "B", n: "exec:new" };
  const folded = await foldSketches(ground, base, [one, two, one]);
  expect(folded).toMatchObject({ files: two, out: [] });
  const deletions = await foldSketches(ground, base, [
    { a: "A", b: "b" },
    { a: "a", b: "b" },
  ]);
  expect(deletions).toMatchObject({ files: { a: "A", b: "b" }, out: [], identical: 1 });
});

test("a task without changes is folded and changes nothing", async () => {
  expect(await foldSketches(ground, { a: "a" }, [{ a: "a" }, { a: "b" }])).toMatchObject({
    files: { a: "b" },
    folded: ["part-1", "part-2"],
  });
});

test("a mode and a content change of one file meet without a conflict; two different modes do not", async () => {
  const base = { run: lines(...long) };
  const both = [{ run: `exec:${lines(...long)}` }, { run: edited(3, "x") }];
  expect(await foldSketches(ground, base, both)).toMatchObject({ files: { run: `exec:${edited(3, "x")}` }, out: [] });
  const modes = await foldSketches(ground, { a: "a" }, [
    { a: "a", n: "same" },
    { a: "a", n: "exec:same" },
  ]);
  expect(modes.leftOut).toMatchObject([{ reason: "file modes differ", paths: ["n"], with: ["part-1"] }]);
});

test("a symlink or a submodule in place of a file another task edits is a conflict of types, under the file's name", async () => {
  const base = { x: lines(...long), keep: "k" };
  const folded = await foldSketches(ground, base, [
    { ...base, x: "link:keep" },
    { ...base, x: edited(1, "one") },
    { ...base, x: `module:${"1".repeat(40)}` },
  ]);
  expect(folded).toMatchObject({ files: { ...base, x: "link:keep" }, out: ["part-2", "part-3"] });
  expect(folded.leftOut.map(({ reason, paths }) => ({ reason, paths }))).toEqual([
    { reason: "file types differ", paths: ["x"] },
    { reason: "both change a submodule", paths: ["x"] },
  ]);
});

test("two targets for one symlink, and two commits for one submodule, are left to people", async () => {
  const id = (digit: string) => `module:${digit.repeat(40)}`;
  const base = { l: "link:a", m: id("1") };
  const folded = await foldSketches(ground, base, [
    { l: "link:b", m: id("2") },
    { l: "link:c", m: id("1") },
    { l: "link:a", m: id("3") },
  ]);
  expect(folded.files).toEqual({ l: "link:b", m: id("2") });
  expect(folded.leftOut.map((left) => left.reason)).toEqual(["both change a symlink", "both change a submodule"]);
  expect(folded.leftOut[0]?.hunks).toMatch(/^l: both change a symlink\nbase 120000 [0-9a-f]{40}\nthere 120000/);
});

test("binary files are never merged: the report names both blobs", async () => {
  const binary = (text: string) => Buffer.from(`\0\x01${text}`);
  const base = { "logo.png": binary("base") };
  const folded = await foldSketches(ground, base, [{ "logo.png": binary("one") }, { "logo.png": binary("two") }]);
  expect(folded.leftOut).toMatchObject([{ reason: "binary file changed in both", paths: ["logo.png"] }]);
  expect(folded.leftOut[0]?.hunks).toMatch(/there 100644 [0-9a-f]{40}\nhere 100644 [0-9a-f]{40}\n$/);
});

test("line endings, a missing final newline, white space and a byte order mark survive a merge byte for byte", async () => {
  const crlf = `\ufeff${long.join("\r\n")}  \t\r\n\r\nlast`;
  const folded = await foldSketches(ground, { f: crlf, "g.txt": crlf }, [
    { f: crlf.replace("line 2", "LINE 2"), "g.txt": crlf.replace("line 3\r\n", "line 3\n") },
    { f: crlf.replace("last", "LAST"), "g.txt": crlf.replace("line 12", "LINE 12") },
  ]);
  expect(folded.out).toEqual([]);
  const latin1 = (text: string) => Buffer.from(text).toString("latin1");
  expect(folded.files.f).toBe(latin1(crlf.replace("line 2", "LINE 2").replace("last", "LAST")));
  expect(folded.files["g.txt"]).toBe(latin1(crlf.replace("line 3\r\n", "line 3\n").replace("line 12", "LINE 12")));
});

test("names with newlines, quotes, tabs and bytes that are not UTF-8 are folded, merged and reported", async () => {
  const odd = ["new\nline", 'quo"te', "tab\tand space ", "\xff\xfe raw", "-dash", ":(top)x", "src/\xc3\xa9~"];
  const all = (text: (name: string) => string) => Object.fromEntries(odd.map((name) => [name, text(name)]));
  const base = all((name) => lines(name, ...long));
  const top = all((name) => lines(`${name} top`, ...long));
  const end = all((name) => lines(name, ...long, "end"));
  const folded = await foldSketches(ground, base, [top, end, all(() => lines("other", ...long))], { isRaw: true });
  const utf8 = (text: string) => Buffer.from(text).toString("latin1");
  expect(folded.files).toEqual(all((name) => utf8(lines(`${name} top`, ...long, "end"))));
  expect(folded.leftOut[0]?.paths.toSorted()).toEqual(
    [...odd.slice(0, 3), "\\xff\\xfe raw", "-dash", ":(top)x", "src/é~"].toSorted(),
  );
});

test("attributes in the tree decide nothing: no union, no driver, no side, no binary, no marker size", async () => {
  const attributes =
    "* merge=union conflict-marker-size=30\n*.ours merge=ours\n*.evil merge=evil\n*.bin -merge -text binary\n";
  const names = ["f", "f.ours", "f.evil", "f.bin"];
  const all = (text: string) => Object.fromEntries(names.map((name) => [name, text]));
  const base = { ".gitattributes": attributes, "sub/.gitattributes": attributes, ...all(lines(...long)) };
  const one = { ...base, ...all(edited(2, "one")) };
  const two = { ...base, ...all(edited(2, "two")) };
  const conflict = await foldSketches(ground, base, [one, two]);
  expect(conflict.files).toEqual(one);
  expect(conflict.leftOut[0]?.paths.toSorted()).toEqual(names.toSorted());
  expect(conflict.leftOut[0]?.reason).toBe("edits overlap");
  expect(conflict.leftOut[0]?.hunks).toContain(
    "\n<<<<<<< part-1\none\n||||||| base\nline 2\n=======\ntwo\n>>>>>>> part-2\n",
  );
  const apart = await foldSketches(ground, base, [one, { ...base, ...all(edited(12, "two")) }]);
  expect(apart).toMatchObject({ out: [], files: { "f.bin": lines(...long.with(2, "one").with(12, "two")) } });
});

test("a repository with SHA-256 ids is folded, merged and reported just the same", async () => {
  await using modern = await openGround("sha256");
  const base = { x: lines(...long), y: "y" };
  const folded = await foldSketches(modern, base, [
    { ...base, x: edited(1, "one") },
    { ...base, x: edited(12, "two"), z: "z" },
    { ...base, x: edited(1, "three") },
  ]);
  expect(folded).toMatchObject({ files: { x: lines(...long.with(1, "one").with(12, "two")), y: "y", z: "z" } });
  expect(folded.leftOut).toMatchObject([{ taskId: "part-3", with: ["part-1", "part-2"], reason: "edits overlap" }]);
  expect(folded.leftOut[0]?.hunks).toContain("<<<<<<< part-1+part-2\none\n");
});
