import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Files, openFiles } from "../../src/files/files.ts";
import { emptyBase, folderBase } from "./folder-base.ts";

let home: string;
let root: string;
let scratch: string;
let files: Files;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "sheaf-files-")));
  root = join(home, "root");
  scratch = join(home, "scratch");
  for (const folder of [root, scratch, join(home, "base")]) mkdirSync(folder);
  files = openFiles({ root, scratch, base: emptyBase, isCaseInsensitive: false });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function put(path: string, content = "old", folder = root): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}
const bytes = (text: string) => new TextEncoder().encode(text);
const textAt = (path: string) => readFileSync(join(root, path), "utf8");
const all = { enters: () => true, takes: () => true, most: 1_000 };

describe("reading", () => {
  it("refuses what is no regular file, without waiting for it", async () => {
    execFileSync("mkfifo", [join(root, "fifo")]);
    mkdirSync(join(root, "folder"));
    symlinkSync("folder", join(root, "link"));
    for (const path of ["fifo", "folder", "link", "nothing", "x".repeat(400)]) {
      expect([path, await files.read(path, 100)]).toEqual([path, { refused: expect.stringContaining(path) }]);
    }
  });

  it("takes a hard link and refuses what is larger than asked", async () => {
    put("a", "12345");
    linkSync(join(root, "a"), join(root, "b"));
    expect(await files.read("b", 5)).toMatchObject({ bytes: Buffer.from("12345") });
    expect(await files.read("b", 4)).toMatchObject({ refused: expect.stringContaining("too large") });
    expect(await files.read("/proc/self/status", 10)).toMatchObject({ refused: expect.any(String) });
  });

  it("never goes through a link, even when it is asked by a path that is not canonical", async () => {
    put("real/x", "secret");
    symlinkSync("real", join(root, "link"));
    expect(await files.read("link/x", 100)).toMatchObject({ refused: expect.stringContaining("symlink") });
    expect(await files.remove("link/x")).toMatchObject({ refused: expect.stringContaining("symlink") });
    expect(await files.writeAll([{ path: "link/y", content: bytes("") }])).toMatchObject({
      refused: expect.any(String),
    });
    expect(readdirSync(join(root, "real"))).toEqual(["x"]);
  });
});

describe("writing", () => {
  it("makes directories, keeps the mode of what it replaces, and leaves no scratch behind", async () => {
    put("run.sh");
    chmodSync(join(root, "run.sh"), 0o750);
    const writes = [
      { path: "run.sh", content: bytes("new") },
      { path: "a/b/c\n d", content: bytes("x") },
    ];
    expect(await files.writeAll(writes)).toEqual({
      written: [
        { path: "run.sh", isExecutable: true, isNew: false },
        { path: "a/b/c\n d", isExecutable: false, isNew: true },
      ],
    });
    expect(lstatSync(join(root, "run.sh")).mode & 0o777).toBe(0o750);
    expect(textAt("a/b/c\n d")).toBe("x");
    expect(readdirSync(scratch)).toEqual([]);
  });

  it("leaves the other name of a hard link alone", async () => {
    put("inside");
    linkSync(join(root, "inside"), join(home, "outside"));
    await files.writeAll([{ path: "inside", content: bytes("new") }]);
    expect(readFileSync(join(home, "outside"), "utf8")).toBe("old");
  });

  it("refuses clashes of files and directories before anything is changed", async () => {
    put("file");
    mkdirSync(join(root, "folder"));
    const clashes = [["folder"], ["file/x"], ["n", "n"], ["m", "m/x"], [""], ["ok", "file/x"]];
    for (const paths of clashes) {
      const outcome = await files.writeAll(paths.map((path) => ({ path, content: bytes("new") })));
      expect([paths, outcome]).toEqual([paths, { refused: expect.any(String) }]);
    }
    expect(readdirSync(root)).toEqual(["file", "folder"]);
    expect(textAt("file")).toBe("old");
  });

  it("puts everything back when a later file cannot be put in place", async () => {
    put("a");
    put("b");
    const good = ["a", "b", "new/deep/c"].map((path) => ({ path, content: bytes("new") }));
    const bad = { path: `z/${"x".repeat(300)}`, content: bytes("new") };
    await expect(files.writeAll([...good, bad])).rejects.toThrow("ENAMETOOLONG");
    expect([textAt("a"), textAt("b"), readdirSync(root)]).toEqual(["old", "old", ["a", "b"]]);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it("changes nothing when the disk refuses the second of two files", () => {
    put("a");
    const script = `
      import { openFiles } from ${JSON.stringify(join(import.meta.dirname, "../../src/files/files.ts"))};
      import { emptyBase } from ${JSON.stringify(join(import.meta.dirname, "folder-base.ts"))};
      const files = openFiles({ root: ${JSON.stringify(root)}, scratch: ${JSON.stringify(scratch)}, base: emptyBase, isCaseInsensitive: false });
      const writes = [{ path: "a", content: Buffer.from("new") }, { path: "b", content: Buffer.alloc(200_000) }];
      await files.writeAll(writes).then(() => console.log("written"), (thrown) => console.log(thrown.code));
    `;
    const limited = `trap '' XFSZ; ulimit -f 64; exec "$0" --input-type=module -e "$1"`;
    const said = execFileSync("bash", ["-c", limited, process.execPath, script], { encoding: "utf8" });
    expect(said.trim()).toBe("EFBIG");
    expect([textAt("a"), readdirSync(root), readdirSync(scratch)]).toEqual(["old", ["a"], []]);
  });
});

describe("removing", () => {
  it("takes the file or the link, and the directories that are empty then", async () => {
    put("a/b/c");
    symlinkSync("/etc", join(root, "etc"));
    expect(await files.remove("a/b/c")).toEqual({ mode: "100644" });
    expect(await files.remove("etc")).toEqual({ mode: "120000" });
    expect(readdirSync(root)).toEqual([]);
    mkdirSync(join(root, "folder"));
    expect(await files.remove("folder")).toMatchObject({ refused: expect.stringContaining("directory") });
    expect(await files.remove("none")).toMatchObject({ refused: expect.any(String) });
  });
});

describe("a sparse workspace", () => {
  let base: ReturnType<typeof folderBase>;
  beforeEach(() => {
    const folder = join(home, "base");
    for (const path of ["src/a.ts", "lib/one.ts", "lib/two.ts", "bin/run"]) put(path, `base ${path}`, folder);
    chmodSync(join(folder, "bin/run"), 0o755);
    symlinkSync("lib", join(folder, "link"));
    symlinkSync("/etc/passwd", join(folder, "evil"));
    put("src/a.ts", "here");
    base = folderBase(folder, root);
    files = openFiles({ root, scratch, base, isCaseInsensitive: false });
  });

  const resolve = async (path: string, followsLast = true) => (await files.resolveAll([path], { followsLast }))[0];
  const readText = async (path: string) => {
    const found = await files.read(path, 1_000);
    return "bytes" in found ? Buffer.from(found.bytes).toString() : found.refused;
  };

  it("is read through to the base, links of the base included", async () => {
    expect(await resolve("link/one.ts")).toMatchObject({
      canonical: "lib/one.ts",
      viaLinks: ["link/one.ts"],
      kind: "file",
    });
    expect(await resolve("evil")).toMatchObject({ escape: "symlink" });
    expect(await readText("lib/one.ts")).toBe("base lib/one.ts");
    expect(await readText("src/a.ts")).toBe("here");
    expect(base.materialised).toEqual([]);
  });

  it("gets a file of the base before it is changed, and its mode stays", async () => {
    const outcome = await files.writeAll([{ path: "bin/run", content: bytes("new") }]);
    expect(outcome).toMatchObject({ written: [{ isExecutable: true, isNew: false }] });
    expect(base.materialised).toEqual(["bin/run"]);
    expect(lstatSync(join(root, "bin/run")).mode & 0o777).toBe(0o755);
  });

  it("refuses to write where the base has a directory or a link", async () => {
    for (const path of ["lib", "link", "evil"]) {
      expect(await files.writeAll([{ path, content: bytes("") }])).toMatchObject({ refused: expect.any(String) });
    }
    expect(await resolve("lib/one.ts/x")).toMatchObject({ kind: "missing", blockedBy: "lib/one.ts" });
  });

  it("never gets back from the base what the run removed", async () => {
    expect(await files.remove("lib/one.ts")).toEqual({ mode: "100644" });
    expect(base.materialised).toEqual(["lib/one.ts"]);
    expect(await resolve("lib/one.ts")).toMatchObject({ exists: false });
    expect(await readText("lib/one.ts")).toContain("does not exist");
    expect((await files.list("lib")).entries.map((entry) => entry.path)).toEqual(["lib/two.ts"]);
    await files.remove("src/a.ts");
    await files.remove("lib/two.ts");
    expect((await files.walk("", all)).entries.map((entry) => entry.path)).toEqual(["bin/run", "evil", "link"]);
    expect(await resolve("lib")).toMatchObject({ exists: false });
    expect(await files.writeAll([{ path: "lib", content: bytes("now a file") }])).toMatchObject({
      written: [{ isNew: true }],
    });
    expect((await files.walk("", all)).entries.map((entry) => entry.path)).toEqual(["bin/run", "evil", "lib", "link"]);
    expect((await files.walk("lib", all)).entries).toEqual([]);
  });

  it("takes back a removed file that is written again", async () => {
    await files.remove("lib/one.ts");
    await files.writeAll([{ path: "lib/one.ts", content: bytes("again") }]);
    expect(await readText("lib/one.ts")).toBe("again");
    expect(await resolve("lib/one.ts")).toMatchObject({ exists: true });
  });

  it("removes a link of the base, not what it points to", async () => {
    expect(await resolve("link", false)).toMatchObject({ canonical: "link", kind: "link" });
    expect(existsSync(join(root, "link"))).toBe(false);
  });

  it("lists workspace and base as one", async () => {
    put("lib/zero.ts");
    const listed = await files.list("");
    expect(listed.entries).toEqual([
      { path: "bin", kind: "directory" },
      { path: "evil", kind: "file" },
      { path: "lib", kind: "directory" },
      { path: "link", kind: "file" },
      { path: "src", kind: "directory" },
    ]);
    expect((await files.list("lib")).entries.map((entry) => entry.path)).toEqual([
      "lib/one.ts",
      "lib/two.ts",
      "lib/zero.ts",
    ]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff])]), "");
    expect(await files.list("")).toMatchObject({ unreadableNames: 1, isComplete: true });
  });

  it("is spelled as the base spells it where case is ignored", async () => {
    files = openFiles({ root, scratch, base, isCaseInsensitive: true });
    expect(await resolve("LIB/One.TS")).toMatchObject({ canonical: "lib/one.ts", exists: true });
    await files.remove("lib/one.ts");
    expect(await resolve("LIB/ONE.ts")).toMatchObject({ exists: false });
  });
});
