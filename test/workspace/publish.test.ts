import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { patchOf } from "../../src/workspace/diff.ts";
import { applyToCheckout, publishBranch } from "../../src/workspace/publish.ts";
import { rawOf } from "../../src/workspace/raw-path.ts";
import type { Repository } from "../../src/workspace/repository.ts";
import { commitTree, keep } from "../../src/workspace/tree.ts";
import { createWorkspace } from "../../src/workspace/workspace.ts";
import { fingerprint, git, type Playground, playground } from "./playground.ts";

/** A commit of ours on the base, made by changing files in a workspace. */
async function resultOf(
  ground: Playground,
  base: { commit: string; tree: string },
  change: (root: string) => void,
): Promise<{ repository: Repository; commit: string; tree: string }> {
  const repository = await ground.open();
  const workspace = await createWorkspace(repository, {
    directory: join(ground.folder, "w"),
    tree: base.tree,
    directories: [""],
  });
  change(workspace.root);
  const { tree, refused } = await workspace.takeTree();
  expect(refused).toEqual([]);
  await workspace.dispose();
  const commit = await commitTree(repository, { tree, parents: [base.commit], message: "A result", at: 1_000_000 });
  return { repository, commit, tree };
}

test("a branch arrives whole in the user's repository, and only it", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const base = ground.commit();
  const odd = Buffer.from([0x2f, 0xff, 0x0a]);
  const { repository, commit } = await resultOf(ground, base, (root) =>
    writeFileSync(Buffer.concat([Buffer.from(root), odd]), "odd"),
  );
  await keep(repository, "refs/sheaf/job/task", commit);
  const before = fingerprint(join(ground.user, ".git"));
  const files = fingerprint(ground.user).size;
  await publishBranch(repository, { branch: "sheaf/results", commit });
  await publishBranch(repository, { branch: "sheaf/results", commit });
  expect(ground.git("rev-parse", "sheaf/results")).toBe(commit);
  expect(ground.git("log", "-1", "--format=%P %an %ct %s", "sheaf/results")).toBe(`${base.commit} Sheaf 1000 A result`);
  expect(ground.git("fsck", "--strict", "--full")).not.toMatch(/missing|broken|error/);
  rmSync(ground.home, { recursive: true });
  expect(ground.git("ls-tree", "-z", "sheaf/results", "--name-only")).toContain("a");
  const after = fingerprint(join(ground.user, ".git"));
  for (const [path, print] of before) expect(after.get(path), path).toBe(print);
  const added = [...after.keys()]
    .filter((path) => !before.has(path))
    .map((path) => path.replace(/pack-[0-9a-f]+/, "pack"));
  expect(added.map((path) => path.slice(ground.user.length + 6)).sort()).toEqual([
    "logs/refs/heads/sheaf/results",
    "objects/pack/pack.idx",
    "objects/pack/pack.pack",
    "refs/heads/sheaf/results",
  ]);
  expect(fingerprint(ground.user).size).toBe(files + 4);
});

test("a branch is never moved unasked, from under a checkout, or by a name git refuses", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const base = ground.commit();
  ground.git("branch", "other");
  ground.git("worktree", "add", "-q", "-b", "linked", join(ground.folder, "li\nnked"));
  ground.git("worktree", "add", "-q", "-b", "bisected", join(ground.folder, "bisected"));
  ground.gitIn(join(ground.folder, "bisected"), undefined, "bisect", "start");
  ground.gitIn(join(ground.folder, "bisected"), undefined, "checkout", "-q", "--detach");
  const { repository, commit } = await resultOf(ground, base, (root) => writeFileSync(join(root, "a"), "2"));
  const publish = (branch: string, expected?: string) =>
    publishBranch(repository, { branch, commit, ...(expected ? { expected } : {}) });
  for (const branch of ["other", "main", "other/below"])
    await expect(publish(branch), branch).rejects.toMatchObject({ code: "conflict" });
  for (const branch of ["main", "linked", "bisected"])
    await expect(publish(branch, base.commit), branch).rejects.toMatchObject({ code: "conflict" });
  for (const branch of ["", "-d", "a..b", "a b", "HEAD", "@{-1}", "x.lock", "a\0b", "a\nb"]) {
    await expect(publish(branch), branch).rejects.toMatchObject({ code: "usage" });
  }
  await expect(publish("other", commit)).rejects.toMatchObject({ code: "conflict" });
  await expect(publish("absent", base.commit)).rejects.toMatchObject({ code: "conflict" });
  expect(ground.git("rev-parse", "other", "main", "linked", "bisected").split("\n")).toEqual(
    Array(4).fill(base.commit),
  );
  await publish("other", base.commit);
  expect(ground.git("rev-parse", "other")).toBe(commit);
  ground.write(".git/refs/heads/held.lock", "");
  await expect(publish("held")).rejects.toMatchObject({ code: "locked" });
});

test("no hook or program of the user's runs when a branch is published", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const base = ground.commit();
  const alarm = join(ground.folder, "alarm");
  const hooks = join(ground.user, ".git/hooks");
  for (const hook of [
    "reference-transaction",
    "post-update",
    "pre-receive",
    "update",
    "post-receive",
    "proc-receive",
  ]) {
    writeFileSync(join(hooks, hook), `#!/bin/sh\ntouch '${alarm}'\n`);
    chmodSync(join(hooks, hook), 0o755);
  }
  ground.git("config", "core.hooksPath", hooks);
  ground.git("config", "gc.auto", "1");
  ground.git("config", `url.ext::touch ${alarm}.insteadOf`, "/");
  ground.git("config", "protocol.ext.allow", "always");
  const { repository, commit } = await resultOf(ground, base, (root) => writeFileSync(join(root, "a"), "2"));
  rmSync(alarm, { force: true });
  await publishBranch(repository, { branch: "results", commit });
  expect(existsSync(alarm)).toBe(false);
  expect(ground.git("rev-parse", "results")).toBe(commit);
});

test("bare, shallow and sha256 repositories take a branch", async () => {
  await using ground = playground({ init: ["--object-format=sha256"] });
  ground.write("a", "1");
  ground.commit();
  ground.write("a", "2");
  const base = ground.commit();
  const targets = { bare: ["--bare"], shallow: ["--depth=1"] };
  for (const [name, options] of Object.entries(targets)) {
    const target = join(ground.folder, name);
    ground.git("clone", "-q", ...options, `file://${ground.user}`, target);
    const repository = await ground.open(target);
    const workspace = await createWorkspace(repository, {
      directory: join(ground.folder, `w-${name}`),
      tree: base.tree,
      files: ["a"],
    });
    writeFileSync(join(workspace.root, "b"), "b");
    const { tree } = await workspace.takeTree();
    const commit = await commitTree(repository, { tree, parents: [base.commit], message: "m", at: 0 });
    await publishBranch(repository, { branch: "result", commit });
    expect(ground.gitIn(target, undefined, "show", "result:b").toString()).toBe("b");
  }
});

const kinds = (root: string) => {
  const at = (path: string) => join(root, path);
  writeFileSync(at("edit"), "edited\n");
  writeFileSync(at('with space\n"nl"'), "new line\n");
  writeFileSync(at("binary"), Buffer.from([0, 1, 2, 255]));
  chmodSync(at("mode"), 0o755);
  rmSync(at("gone/deep/x"));
  rmSync(at("link"));
  symlinkSync("mode", at("link"));
  mkdirSync(at("fresh/deep"), { recursive: true });
  writeFileSync(at("fresh/deep/file"), "");
  rmSync(at("turns"));
  mkdirSync(at("turns"));
  writeFileSync(at("turns/into"), "a directory\n");
  rmSync(at("folds"), { recursive: true });
  writeFileSync(at("folds"), "a file\n");
};

function variety(ground: Playground): { commit: string; tree: string } {
  for (const name of [
    "edit",
    'with space\n"nl"',
    "binary",
    "mode",
    "gone/deep/x",
    "turns",
    "folds/a",
    "folds/b/c",
    "untouched",
  ])
    ground.write(name, `${name}\n`);
  symlinkSync("edit", join(ground.user, "link"));
  return ground.commit();
}

test("an applied result is in the working files exactly, and the index and commits stay", async () => {
  await using ground = playground();
  const base = variety(ground);
  const { repository, tree } = await resultOf(ground, base, kinds);
  ground.write("untouched", "mine");
  ground.write("own", "mine");
  const before = fingerprint(join(ground.user, ".git"), { withTimes: true });
  const { paths } = await applyToCheckout(repository, { from: base.tree, to: tree });
  expect(paths).toHaveLength(12);
  expect(fingerprint(join(ground.user, ".git"), { withTimes: true })).toEqual(before);
  expect(readlinkSync(join(ground.user, "link"))).toBe("mode");
  expect(lstatSync(join(ground.user, "mode")).mode & 0o100).toBe(0o100);
  expect(existsSync(join(ground.user, "gone"))).toBe(false);
  expect(await applyToCheckout(repository, { from: base.tree, to: tree })).toEqual({ paths: [] });
  rmSync(join(ground.user, "own"));
  ground.write("untouched", "untouched\n");
  expect(ground.commit().tree).toBe(tree);
});

test("a patch is what `git apply` makes the same tree of", async () => {
  await using ground = playground();
  const base = variety(ground);
  const { repository, tree } = await resultOf(ground, base, kinds);
  ground.gitIn(ground.user, await patchOf(repository, base.tree, tree), "apply", "--index");
  expect(ground.commit().tree).toBe(tree);
});

test("work of the user's in the way is named, and nothing is applied", async () => {
  await using ground = playground();
  const base = variety(ground);
  const { repository, tree } = await resultOf(ground, base, kinds);
  const obstacles: Record<string, () => void> = {
    edit: () => ground.write("edit", "mine\n"),
    "fresh/deep/file": () => ground.write("fresh", "a file where a directory should be"),
    "gone/deep/x": () => ground.write("gone/deep/x", "mine"),
    mode: () => chmodSync(join(ground.user, "mode"), 0o755) ?? ground.write("mode", "mine"),
    link: () => rmSync(join(ground.user, "link")) ?? ground.write("link", "mine"),
    binary: () => rmSync(join(ground.user, "binary")),
    turns: () => ground.write("turns", "mine"),
    folds: () => ground.write("folds/untracked", "mine"),
  };
  for (const [path, obstruct] of Object.entries(obstacles)) {
    obstruct();
    const before = fingerprint(ground.user);
    await expect(applyToCheckout(repository, { from: base.tree, to: tree }), path).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(path),
    });
    expect(fingerprint(ground.user), path).toEqual(before);
    expect(readdirSync(ground.user).filter((name) => name.startsWith(".sheaf"))).toEqual([]);
    ground.git("clean", "-qfd");
    ground.git("checkout", "-q", "--", ".");
  }
  ground.write(".git/index.lock", "");
  await expect(applyToCheckout(repository, { from: base.tree, to: tree })).rejects.toMatchObject({ code: "locked" });
});

test("a directory that became a link is not written through", async () => {
  await using ground = playground();
  ground.write("d/f", "1");
  const base = ground.commit();
  const { repository, tree } = await resultOf(ground, base, (root) => writeFileSync(join(root, "d/f"), "2"));
  const outside = join(ground.folder, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "f"), "1");
  rmSync(join(ground.user, "d"), { recursive: true });
  symlinkSync(outside, join(ground.user, "d"));
  await expect(applyToCheckout(repository, { from: base.tree, to: tree })).rejects.toMatchObject({ code: "conflict" });
  expect(readdirSync(outside)).toEqual(["f"]);
});

test("converted line endings stay converted, and a file behind a filter is refused", async () => {
  await using ground = playground();
  ground.git("config", "core.autocrlf", "true");
  ground.write(".gitattributes", "*.bin filter=lfs\nraw -text\n");
  ground.write("a", "one\r\ntwo\r\n");
  ground.write("lf", "one\n");
  ground.write("raw", "one\n");
  ground.write("x.bin", "pointer");
  const base = ground.commit();
  const { repository, tree } = await resultOf(ground, base, (root) => {
    writeFileSync(join(root, "a"), "one\n2\n");
    writeFileSync(join(root, "lf"), "uno\n");
    writeFileSync(join(root, "raw"), "uno\n");
    writeFileSync(join(root, "new"), "new\n");
  });
  await applyToCheckout(repository, { from: base.tree, to: tree });
  expect(ground.read("a").toString()).toBe("one\r\n2\r\n");
  expect(ground.read("lf").toString()).toBe("uno\n");
  expect(ground.read("raw").toString()).toBe("uno\n");
  expect(ground.read("new").toString()).toBe("new\r\n");
  const other = await resultOf(ground, base, (root) => writeFileSync(join(root, "x.bin"), "pointer 2"));
  ground.write("x.bin", "the large content");
  await expect(applyToCheckout(repository, { from: base.tree, to: other.tree })).rejects.toThrow(/x\.bin.*filter/);
});

test("a name that is not UTF-8 is applied as bytes", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const base = ground.commit();
  const name = Buffer.from([0x66, 0xe9]);
  const { repository, tree } = await resultOf(ground, base, (root) =>
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), "x"),
  );
  expect(await applyToCheckout(repository, { from: base.tree, to: tree })).toEqual({ paths: ["f\\xe9"] });
  expect(readdirSync(ground.user, { encoding: "buffer" }).map(rawOf)).toContain("f\xe9");
  const bare = join(ground.folder, "bare.git");
  await git(["clone", "--quiet", "--bare", ground.user, bare], {
    cwd: ground.folder,
    env: { GIT_ALLOW_PROTOCOL: "file" },
  });
  await expect(applyToCheckout(await ground.open(bare), { from: base.tree, to: tree })).rejects.toMatchObject({
    code: "usage",
  });
});
