import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { changesOf } from "../../src/workspace/diff.ts";
import { toRaw } from "../../src/workspace/raw-path.ts";
import { listTree } from "../../src/workspace/tree.ts";
import { createWorkspace, type Workspace } from "../../src/workspace/workspace.ts";
import { fastImport, fingerprint, type Playground, playground } from "./playground.ts";

async function workspaceOf(
  ground: Playground,
  tree: string,
  wanted: { files?: string[]; directories?: string[] } = { directories: [""] },
): Promise<Workspace> {
  return createWorkspace(await ground.open(), { directory: join(ground.folder, "w"), tree, ...wanted });
}

const touchedBy = async (workspace: Workspace) =>
  Object.fromEntries((await workspace.takeTree()).touched.map(({ path, after }) => [path, after?.mode ?? null]));

test("a workspace holds its files and directories, and the rest of the base on demand", async () => {
  await using ground = playground();
  ground.write("src/a.js", "a");
  ground.write("src/deep/b.js", "b");
  ground.write("lib/c.js", "c");
  ground.write("top.md", "t");
  const { tree } = ground.commit();
  const workspace = await workspaceOf(ground, tree, { files: ["top.md", "absent"], directories: ["src/"] });
  expect(readdirSync(workspace.root).sort()).toEqual(["src", "top.md"]);
  expect(readFileSync(join(workspace.root, "src/deep/b.js"), "utf8")).toBe("b");
  expect(await workspace.names("", 10)).toEqual({ names: ["lib/c.js"], isComplete: true });
  expect(await workspace.names("", 0)).toEqual({ names: [], isComplete: false });
  expect(await workspace.fetch("lib/c.js", 10)).toEqual({
    found: "file",
    bytes: new Uint8Array([99]),
    is_executable: false,
  });
  expect(await workspace.fetch("lib/c.js", 0)).toEqual({ found: "too_large", size: 1 });
  expect(await workspace.fetch("lib", 10)).toEqual({ found: "directory" });
  expect(await workspace.fetch("lib/../top.md", 10)).toEqual({ found: "nothing" });
  expect(await workspace.takeTree()).toEqual({ tree, touched: [], ignored: [], refused: [] });
});

test("edits, new files, deletions and modes make the tree that git itself makes of the same files", async () => {
  await using ground = playground();
  for (const name of ["keep", "edit", "mode", "gone", "d/only", "was-file", "was-dir/x", "was-dir/y"])
    ground.write(name, `${name}\r\n`);
  const { tree } = ground.commit();
  const workspace = await workspaceOf(ground, tree);
  const change = (root: string) => {
    writeFileSync(join(root, "edit"), "edited");
    chmodSync(join(root, "mode"), 0o755);
    rmSync(join(root, "gone"));
    rmSync(join(root, "d"), { recursive: true });
    rmSync(join(root, "was-file"));
    mkdirSync(join(root, "was-file"));
    writeFileSync(join(root, "was-file/inner"), "");
    rmSync(join(root, "was-dir"), { recursive: true });
    writeFileSync(join(root, "was-dir"), Buffer.from([0, 255, 10, 13]));
    mkdirSync(join(root, "new dir"));
    writeFileSync(join(root, 'new dir/-dash "quote"\nnew\tline'), "n");
    symlinkSync("edit", join(root, "link"));
    symlinkSync("nowhere", join(root, "dangling"));
  };
  change(workspace.root);
  change(ground.user);
  const taken = await workspace.takeTree();
  expect(taken.tree).toBe(ground.commit().tree);
  expect(taken.refused).toEqual([]);
  const again = await workspace.takeTree();
  expect(again).toEqual(taken);
  const repository = await ground.open();
  expect((await changesOf(repository, tree, taken.tree)).map(({ path }) => path)).toEqual(
    taken.touched.map(({ path }) => path),
  );
});

test("an edit of the same size at the same time is noticed", async () => {
  await using ground = playground();
  ground.write("a", "one");
  const { tree } = ground.commit();
  const workspace = await workspaceOf(ground, tree);
  const { atime, mtime } = lstatSync(join(workspace.root, "a"));
  writeFileSync(join(workspace.root, "a"), "two");
  utimesSync(join(workspace.root, "a"), atime, mtime);
  const first = await workspace.takeTree();
  expect(first.touched).toHaveLength(1);
  const before = lstatSync(join(workspace.root, "a"));
  writeFileSync(join(workspace.root, "a"), "six");
  utimesSync(join(workspace.root, "a"), before.atime, before.mtime);
  expect((await workspace.takeTree()).tree).not.toBe(first.tree);
  writeFileSync(join(workspace.root, "a"), "one");
  expect((await workspace.takeTree()).tree).toBe(tree);
});

test("a file that another took the place of, times and size the same, is noticed", async () => {
  await using ground = playground();
  for (const name of ["one/a", "two/a", "x", "y"]) ground.write(name, `content of ${name[0]}`);
  const { tree } = ground.commit();
  const workspace = await workspaceOf(ground, tree);
  const at = (path: string) => join(workspace.root, path);
  for (const path of ["one/a", "two/a", "x", "y"]) utimesSync(at(path), 1, 1);
  expect((await workspace.takeTree()).tree).toBe(tree);
  for (const [one, other] of [
    ["one", "two"],
    ["x", "y"],
  ]) {
    renameSync(at(one ?? ""), at("aside"));
    renameSync(at(other ?? ""), at(one ?? ""));
    renameSync(at("aside"), at(other ?? ""));
  }
  expect(Object.keys(await touchedBy(workspace))).toEqual(["one/a", "two/a", "x", "y"]);
});

test("a change in every tick of the clock is noticed, however often the tree is taken", async () => {
  await using ground = playground();
  ground.write("a", "000");
  const { tree } = ground.commit();
  const repository = await ground.open();
  const workspace = await workspaceOf(ground, tree);
  for (let round = 1; round <= 100; round++) {
    const content = String(round).padStart(3, "0");
    writeFileSync(join(workspace.root, "a"), content);
    const [touched] = (await workspace.takeTree()).touched;
    expect((await repository.objects.read(touched?.after?.oid ?? ""))?.toString()).toBe(content);
  }
});

test("what did not change is not written again, so that the user's own object files keep their times", async () => {
  await using ground = playground();
  ground.write("a", "a");
  ground.write("b", "b");
  const { tree } = ground.commit();
  const before = fingerprint(ground.user, { withTimes: true });
  const workspace = await workspaceOf(ground, tree);
  for (const path of ["a", "b"]) writeFileSync(join(workspace.root, path), path);
  expect((await workspace.takeTree()).touched).toEqual([]);
  const other = await createWorkspace(await ground.open(), { directory: join(ground.folder, "other"), tree });
  await Promise.all([other.materialise("a"), other.materialise("b")]);
  expect((await other.takeTree()).touched).toEqual([]);
  expect(fingerprint(ground.user, { withTimes: true })).toEqual(before);
});

/** Few files are written from the object reader, more are checked out by git: the same must hold of both. */
const fewAndMany = [
  { amount: "few", more: 0 },
  { amount: "many", more: 40 },
];

test.each(fewAndMany)(
  "bytes of $amount files come out and go in as they are, whatever the attributes ask for",
  async ({ more }) => {
    await using ground = playground();
    const files = {
      ".gitattributes":
        "* text=auto eol=crlf\n*.lfs filter=lfs diff=lfs merge=lfs -text\n*.id ident\n*.u16 working-tree-encoding=UTF-16\n",
      "lf.txt": "a\nb\n",
      "mixed.txt": "a\r\nb\n",
      "p.lfs": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
      "x.id": "$Id$\n",
      "t.u16": "text\n",
      empty: "",
      bin: "\0\x01\r\n",
      ...Object.fromEntries(Array.from({ length: more }, (_, index) => [`more/${index}`, `${index}\n`])),
    };
    const tree = fastImport(
      ground,
      Object.entries(files).map(([path, content]) => ({ path, content })),
    );
    const workspace = await workspaceOf(ground, tree);
    for (const [path, content] of Object.entries(files))
      expect(readFileSync(join(workspace.root, path), "utf8")).toBe(content);
    writeFileSync(join(workspace.root, "lf.txt"), "a\r\nc\r\n");
    writeFileSync(join(workspace.root, "new.u16"), "plain\r\n");
    const { touched } = await workspace.takeTree();
    const repository = await ground.open();
    for (const { path, after } of touched) {
      expect(await repository.objects.read(after?.oid ?? "")).toEqual(readFileSync(join(workspace.root, path)));
    }
    expect(touched.map(({ path }) => path)).toEqual(["lf.txt", "new.u16"]);
  },
);

test("base files are brought in on demand, once, and deleting them afterwards deletes them", async () => {
  await using ground = playground();
  for (let index = 0; index < 40; index++) ground.write(`d/f${index}`, `${index}`);
  const { tree } = ground.commit();
  const workspace = await workspaceOf(ground, tree, {});
  const all = Array.from({ length: 40 }, (_, index) => `d/f${index}`);
  await Promise.all(all.map((path) => workspace.materialise(path)));
  expect(readdirSync(join(workspace.root, "d"))).toHaveLength(40);
  writeFileSync(join(workspace.root, "d/f1"), "mine");
  rmSync(join(workspace.root, "d/f2"));
  await workspace.materialise("d/f1");
  await workspace.materialise("d/f2");
  expect(readFileSync(join(workspace.root, "d/f1"), "utf8")).toBe("mine");
  expect(existsSync(join(workspace.root, "d/f2"))).toBe(false);
  expect(await workspace.fetch("d/f2", 10)).toEqual({ found: "nothing" });
  expect(await touchedBy(workspace)).toEqual({ "d/f1": "100644", "d/f2": null });
  expect(await workspace.materialise("nope")).toEqual({ found: "nothing" });
});

test.each(fewAndMany)(
  "nothing of $amount files is written through a symlink that was put in the way",
  async ({ more }) => {
    await using ground = playground();
    const paths = ["d/f", ...Array.from({ length: more }, (_, index) => `d/more/${index}`)];
    for (const path of paths) ground.write(path, "f");
    const { tree } = ground.commit();
    const workspace = await workspaceOf(ground, tree, {});
    const outside = join(ground.folder, "outside");
    mkdirSync(outside);
    symlinkSync(outside, join(workspace.root, "d"));
    await Promise.allSettled(paths.map((path) => workspace.materialise(path)));
    expect(readdirSync(outside)).toEqual([]);
    const taken = await workspace.takeTree();
    expect(taken.tree).toBe(tree);
    expect(taken.refused.map(({ path }) => path)).toEqual(["d"]);
  },
);

test("ignored files are listed and not taken, by rules of the base that are not in the workspace", async () => {
  await using ground = playground();
  ground.write(".gitignore", "*.log\nbuild/\n!keep.log\n");
  ground.write("pkg/.gitignore", "out\n");
  ground.write("other/.gitignore", "*\n");
  ground.write("pkg/a", "a");
  ground.git("add", "-f", ".");
  ground.write(".git/info/exclude", "secret\n");
  const { tree } = ground.commit();
  const workspace = await workspaceOf(ground, tree, { files: ["pkg/a"] });
  for (const path of ["x.log", "keep.log", "pkg/out", "pkg/build/deep/x", "secret", ":(glob)*", "[a-z]"]) {
    mkdirSync(join(workspace.root, path, ".."), { recursive: true });
    writeFileSync(join(workspace.root, path), "x");
  }
  const taken = await workspace.takeTree();
  expect(taken.ignored.sort()).toEqual(["pkg/build/deep/x", "pkg/out", "secret", "x.log"]);
  expect(taken.touched.map(({ path }) => path)).toEqual([":(glob)*", "[a-z]", "keep.log"]);
  writeFileSync(join(workspace.root, ".gitignore"), "");
  expect((await workspace.takeTree()).ignored.sort()).toEqual(["pkg/out", "secret"]);
});

test("git directories, devices, sockets and links to the outside are refused and the rest is taken", async () => {
  await using ground = playground();
  ground.write("a", "a");
  ground.write("pipe", "was a file");
  ground.write("d/x", "x");
  const { tree } = ground.commit();
  const workspace = await workspaceOf(ground, tree);
  const at = (path: string) => join(workspace.root, path);
  mkdirSync(at("nested/.git"), { recursive: true });
  writeFileSync(at("nested/.git/config"), "[core]\n\tfsmonitor = touch /tmp/owned\n");
  writeFileSync(at("nested/file"), "f");
  mkdirSync(at("repo"));
  ground.gitIn(at("repo"), undefined, "init", "-q");
  ground.gitIn(at("repo"), undefined, "commit", "-q", "--allow-empty", "-m", "x");
  writeFileSync(at(".GIT"), "gitdir: /etc");
  rmSync(at("pipe"));
  execFileSync("mkfifo", [at("pipe"), at("fifo")]);
  symlinkSync("/etc/passwd", at("absolute"));
  symlinkSync("../../x", at("d/up"));
  symlinkSync("d", at("inside"));
  symlinkSync("inside/../../etc", at("around"));
  symlinkSync(".", at("here"));
  symlinkSync("here/../sly", at("sly"));
  symlinkSync("loop", at("loop"));
  const taken = await workspace.takeTree();
  expect(taken.refused.map(({ path }) => path).sort()).toEqual([
    ".GIT",
    "absolute",
    "around",
    "d/up",
    "fifo",
    "nested/.git",
    "pipe",
    "repo/.git",
    "sly",
  ]);
  expect(taken.touched.map(({ path }) => path)).toEqual(["here", "inside", "loop", "nested/file"]);
});

test("a file that would take the place of base files outside the workspace is refused", async () => {
  await using ground = playground();
  ground.write("dir/a", "a");
  ground.write("file", "f");
  const { tree } = ground.commit();
  const workspace = await workspaceOf(ground, tree, {});
  writeFileSync(join(workspace.root, "dir"), "x");
  mkdirSync(join(workspace.root, "file"));
  writeFileSync(join(workspace.root, "file/x"), "x");
  const taken = await workspace.takeTree();
  expect(taken.tree).toBe(tree);
  expect(taken.refused.map(({ path }) => path)).toEqual(["dir", "file/x"]);
});

test("submodules stay as they are in every tree", async () => {
  await using ground = playground();
  ground.write("a", "a");
  ground.commit();
  const link = ground.git("rev-parse", "HEAD");
  ground.git("update-index", "--add", "--cacheinfo", `160000,${link},sub`);
  ground.git("commit", "-qm", "with a submodule");
  const tree = ground.git("rev-parse", "HEAD^{tree}");
  const workspace = await workspaceOf(ground, tree);
  expect(await workspace.fetch("sub", 10)).toEqual({ found: "submodule" });
  expect(await workspace.materialise("sub")).toEqual({ found: "submodule" });
  mkdirSync(join(workspace.root, "sub"));
  writeFileSync(join(workspace.root, "sub/x"), "x");
  writeFileSync(join(workspace.root, "a"), "b");
  const taken = await workspace.takeTree();
  expect(taken.refused).toEqual([{ path: "sub/x", reason: "inside a submodule" }]);
  const entries = await listTree(await ground.open(), taken.tree);
  expect(entries.find(({ path }) => path === "sub")).toEqual({ path: "sub", mode: "160000", oid: link });
});

test.each(fewAndMany)(
  "$amount names that are not UTF-8 travel as bytes and are never shown to an agent",
  async ({ more }) => {
    await using ground = playground();
    const odd = Buffer.from([0x66, 0xff, 0xfe]);
    const tree = fastImport(ground, [
      { path: odd, content: "odd" },
      { path: "é", content: "text" },
      { path: "README", content: "1" },
      { path: "readme", content: "2" },
      ...Array.from({ length: more }, (_, index) => ({
        path: Buffer.from([0x67, 0xff, 0x30 + index]),
        content: "more",
      })),
    ]);
    const workspace = await workspaceOf(ground, tree);
    const at = Buffer.concat([Buffer.from(`${workspace.root}/`), odd]);
    expect(readFileSync(at, "utf8")).toBe("odd");
    writeFileSync(at, "changed");
    writeFileSync(Buffer.concat([at, Buffer.from([0x80])]), "new");
    renameSync(join(workspace.root, "é"), join(workspace.root, "ü"));
    writeFileSync(join(workspace.root, "readme"), "two");
    const { touched } = await workspace.takeTree();
    expect(touched.map(({ path }) => path)).toEqual(["f\xff\xfe", "f\xff\xfe\x80", "readme", toRaw("é"), toRaw("ü")]);
    const other = await createWorkspace(await ground.open(), { directory: join(ground.folder, "other"), tree });
    expect((await other.names("", 10)).names.sort()).toEqual(["README", "readme", "é"]);
  },
);

test.each(fewAndMany)("$amount links keep their targets and executables their bit", async ({ more }) => {
  await using ground = playground();
  for (let index = 0; index < more; index++) symlinkSync(`${index}`, join(ground.user, `link${index}`));
  ground.write("run.sh", "#!/bin/sh\n");
  chmodSync(join(ground.user, "run.sh"), 0o755);
  symlinkSync("run.sh", join(ground.user, "relative"));
  symlinkSync("/absolute/elsewhere", join(ground.user, "absolute"));
  const { tree } = ground.commit();
  const workspace = await workspaceOf(ground, tree);
  expect(readlinkSync(join(workspace.root, "absolute"))).toBe("/absolute/elsewhere");
  expect(lstatSync(join(workspace.root, "run.sh")).mode & 0o111).not.toBe(0);
  expect(await workspace.fetch("relative", 100)).toEqual({ found: "link", target: "run.sh" });
  expect((await workspace.takeTree()).tree).toBe(tree);
});

test.each(fewAndMany)(
  "a repository of sha256 ids and $amount files, with the longest names, is no other",
  async ({ more }) => {
    await using ground = playground({ init: ["--object-format=sha256"] });
    const deep = Array.from({ length: 12 }, () => "n".repeat(250)).join("/");
    const names = ["a", deep, ...Array.from({ length: more }, (_, index) => `${"m".repeat(index + 1)}`)];
    const tree = fastImport(
      ground,
      names.map((path) => ({ path, content: path.slice(0, 9) })),
    );
    const workspace = await workspaceOf(ground, tree);
    for (const path of names) expect(readFileSync(join(workspace.root, path), "utf8")).toBe(path.slice(0, 9));
    writeFileSync(join(workspace.root, "a"), "changed");
    expect(await touchedBy(workspace)).toEqual({ a: "100644" });
  },
);

test("twenty workspaces of one repository are made and taken at once", async () => {
  await using ground = playground();
  for (let index = 0; index < 60; index++) ground.write(`d${index % 7}/f${index}`, `${index}`);
  const { tree } = ground.commit();
  const repository = await ground.open();
  const trees = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const directory = join(ground.folder, `w${index}`);
      const workspace = await createWorkspace(repository, { directory, tree, directories: [`d${index % 7}`] });
      writeFileSync(join(workspace.root, `new${index}`), `${index}`);
      const taken = await workspace.takeTree();
      await workspace.dispose();
      expect(existsSync(directory)).toBe(false);
      return taken;
    }),
  );
  for (const [index, taken] of trees.entries()) {
    expect((await changesOf(repository, tree, taken.tree)).map(({ path }) => path)).toEqual([`new${index}`]);
  }
});

test("fifty thousand files are no obstacle", async () => {
  await using ground = playground();
  const files = Array.from({ length: 50_000 }, (_, index) => ({
    path: `p${index % 500}/s${index % 5}/f${index}`,
    content: `${index % 100}`,
  }));
  const tree = fastImport(ground, files);
  const workspace = await workspaceOf(ground, tree, { directories: ["p7"] });
  const names = await workspace.names("", 100_000);
  expect(names).toMatchObject({ isComplete: true, names: { length: 49_900 } });
  writeFileSync(join(workspace.root, "p7/s2/f7"), "changed");
  expect(await touchedBy(workspace)).toEqual({ "p7/s2/f7": "100644" });
});
