import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveBase } from "../../src/workspace/base.ts";
import { changesOf } from "../../src/workspace/diff.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { fingerprint, git, type Playground, playground } from "./playground.ts";

const clean = { includeDirty: false };
const dirty = { includeDirty: true };

async function pathsTaken(ground: Playground, commit: string): Promise<string[]> {
  return (await changesOf(await ground.open(), ground.git("rev-parse", "HEAD"), commit)).map(({ path }) => path);
}

test("a ref of any kind becomes one commit, also with a detached HEAD and in a linked worktree", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const first = ground.commit();
  ground.git("tag", "-a", "-m", "annotated", "v1/été");
  ground.write("a", "2");
  const second = ground.commit();
  const repository = await ground.open();
  for (const ref of ["v1/été", "HEAD~1", first.commit, "main~1^{commit}", first.commit.slice(0, 12)]) {
    expect((await resolveBase(repository, ref, clean)).base).toMatchObject({ ref, ...first });
  }
  ground.git("checkout", "-q", "--detach", first.commit);
  expect((await resolveBase(repository, "HEAD", clean)).base).toMatchObject(first);
  const linked = join(ground.folder, "linked tree");
  ground.git("worktree", "add", "-q", linked, "main");
  writeFileSync(join(linked, "a"), "3");
  const opened = await ground.open(linked);
  expect(opened.gitDir).toBe(repository.gitDir);
  const { base, dirty: found } = await resolveBase(opened, "HEAD", clean);
  expect(base).toMatchObject({ ...second, repository: linked });
  expect(found).toEqual({ count: 1, sample: ["a"] });
});

test("what is not one commit is refused by name", async () => {
  await using ground = playground();
  const repository = await ground.open();
  await expect(resolveBase(repository, "HEAD", clean)).rejects.toMatchObject({ code: "no_commits" });
  ground.write("a", "1");
  ground.commit();
  ground.git("tag", "a-tree", "HEAD^{tree}");
  for (const ref of [
    "nope",
    "--help",
    "-x",
    "main..main",
    "main...main",
    "^main",
    "",
    "a\0b",
    "a\nb",
    "a-tree",
    "HEAD:a",
  ]) {
    await expect(resolveBase(repository, ref, clean), ref).rejects.toMatchObject({ code: "unknown_ref" });
  }
});

test("what cannot be served is refused before anything is made", async () => {
  await using ground = playground();
  const options = { home: ground.home, git };
  await expect(openRepository(ground.folder, options)).rejects.toMatchObject({ code: "not_a_repository" });
  await expect(openRepository(join(ground.folder, "no"), options)).rejects.toMatchObject({ code: "not_a_repository" });
  await expect(openRepository(join(ground.user, ".git"), options)).rejects.toMatchObject({ code: "not_a_repository" });
  ground.write("a", "1");
  ground.commit();
  ground.git("config", "uploadpack.allowFilter", "true");
  const partial = join(ground.folder, "partial");
  ground.git("clone", "-q", "--filter=blob:none", `file://${ground.user}`, partial);
  await expect(openRepository(partial, options)).rejects.toMatchObject({ code: "unsupported_repository" });
  const shared = join(ground.folder, "shared");
  ground.git("clone", "-q", "--shared", ground.user, shared);
  await resolveBase(await ground.open(shared), "HEAD", clean);
  rmSync(ground.user, { recursive: true });
  await expect(openRepository(shared, options)).rejects.toMatchObject({ code: "unsupported_repository" });
});

test("uncommitted changes are counted, and taken only when asked for, as one commit on the base", async () => {
  await using ground = playground();
  for (const name of ["edited", "staged", "removed", "same", "touched"]) ground.write(name, name);
  ground.write(".gitignore", "*.log\n");
  const { commit, tree } = ground.commit();
  ground.write("edited", "new");
  ground.write("staged", "new");
  ground.git("add", "staged");
  rmSync(join(ground.user, "removed"));
  ground.write('un tracked\n"', "u");
  ground.write("x.log", "ignored");
  utimesSync(join(ground.user, "touched"), 1, 1);
  mkdirSync(join(ground.user, "nested"));
  ground.gitIn(join(ground.user, "nested"), undefined, "init", "-q");
  ground.write("nested/x", "x");
  const repository = await ground.open();
  const seen = await resolveBase(repository, "HEAD", clean);
  expect(seen.base).toMatchObject({ commit, tree, is_dirty: false });
  expect(seen.dirty).toEqual({ count: 4, sample: ["edited", "removed", "staged", 'un tracked\n"'] });
  const taken = await resolveBase(repository, "main", dirty);
  expect(taken.base.is_dirty).toBe(true);
  expect(await pathsTaken(ground, taken.base.commit)).toEqual(seen.dirty.sample);
  expect((await resolveBase(repository, "main", dirty)).base).toEqual(taken.base);
  await expect(git(["cat-file", "-e", taken.base.commit], { gitDir: join(ground.user, ".git") })).rejects.toThrow();
  ground.write(".git/index.lock", "");
  await expect(resolveBase(repository, "HEAD", dirty)).rejects.toMatchObject({ code: "locked" });
});

test("line endings that the user's git converts are no change, and a change is stored converted", async () => {
  await using ground = playground();
  ground.git("config", "core.autocrlf", "true");
  ground.write("a", "one\r\ntwo\r\n");
  ground.write("b", "one\r\n");
  ground.commit();
  utimesSync(join(ground.user, "a"), 1, 1);
  ground.write("b", "two\r\n");
  const repository = await ground.open();
  const { base, dirty: found } = await resolveBase(repository, "HEAD", dirty);
  expect(found.sample).toEqual(["b"]);
  const [change] = await changesOf(repository, ground.git("rev-parse", "HEAD"), base.commit);
  expect((await repository.objects.read(change?.after?.oid ?? ""))?.toString()).toBe("two\n");
});

test("files of git-lfs are not dirty because no filter runs, and a changed one is not taken", async () => {
  await using ground = playground();
  const content = "large content";
  const oid = createHash("sha256").update(content).digest("hex");
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`;
  ground.write(".gitattributes", "*.bin filter=lfs\n");
  ground.write("x.bin", pointer);
  ground.commit();
  ground.write("x.bin", content);
  const repository = await ground.open();
  expect((await resolveBase(repository, "HEAD", clean)).dirty.count).toBe(0);
  ground.write("x.bin", "other content");
  expect((await resolveBase(repository, "HEAD", clean)).dirty.sample).toEqual(["x.bin"]);
  await expect(resolveBase(repository, "HEAD", dirty)).rejects.toMatchObject({ code: "usage" });
});

test("a split index, a sparse checkout and personal excludes are understood", async () => {
  await using ground = playground();
  for (const name of ["a/x", "b/x", "c"]) ground.write(name, name);
  ground.commit();
  ground.git("update-index", "--split-index");
  ground.write("c", "changed");
  ground.write("skip.me", "x");
  ground.git("config", "core.excludesFile", "~/ignore");
  writeFileSync(join(ground.folder, "ignore"), "skip.me\n");
  const repository = await openRepository(ground.user, { home: ground.home, git, userHome: ground.folder });
  expect((await resolveBase(repository, "HEAD", clean)).dirty.sample).toEqual(["c"]);
  await repository.close();
  ground.git("checkout", "-q", "c");
  ground.git("sparse-checkout", "set", "--cone", "--sparse-index", "a");
  expect(readdirSync(ground.user)).not.toContain("b");
  const { base, dirty: found } = await resolveBase(await ground.open(), "HEAD", dirty);
  expect(found.sample).toEqual(["skip.me"]);
  expect(await pathsTaken(ground, base.commit)).toEqual(["skip.me"]);
});

test("unmerged paths, and changes of a HEAD that is not the base, are not taken", async () => {
  await using ground = playground();
  ground.write("a", "1");
  ground.commit();
  ground.git("checkout", "-qb", "side");
  ground.write("a", "2");
  ground.commit();
  ground.git("checkout", "-q", "main");
  ground.write("a", "3");
  ground.commit();
  expect(() => ground.git("merge", "side")).toThrow();
  const repository = await ground.open();
  await expect(resolveBase(repository, "HEAD", dirty)).rejects.toMatchObject({ code: "usage" });
  await expect(resolveBase(repository, "side", dirty)).rejects.toMatchObject({ code: "usage" });
});

test("shallow, bare and sha256 repositories work", async () => {
  await using ground = playground({ init: ["--object-format=sha256"] });
  ground.write("a", "1");
  ground.commit();
  ground.write("a", "2");
  const { commit } = ground.commit();
  const shallow = join(ground.folder, "shallow");
  ground.git("clone", "-q", "--depth=1", `file://${ground.user}`, shallow);
  expect((await resolveBase(await ground.open(shallow), "HEAD", clean)).base.commit).toBe(commit);
  await expect(resolveBase(await ground.open(shallow), "HEAD~1", clean)).rejects.toMatchObject({ code: "unknown_ref" });
  const bare = join(ground.folder, "bare.git");
  ground.git("clone", "-q", "--bare", ground.user, bare);
  const repository = await ground.open(bare);
  expect(repository).toMatchObject({ objectFormat: "sha256", user: { isBare: true, top: bare } });
  expect((await resolveBase(repository, "HEAD", dirty)).base).toMatchObject({ commit, is_dirty: false });
});

test("our repository is made once by two that open it at the same time, below names with quotes and newlines", async () => {
  await using ground = playground({ name: 'a "b\n#c' });
  ground.write("a", "1");
  const { commit } = ground.commit();
  const opened = await Promise.all(Array.from({ length: 8 }, () => ground.open()));
  for (const repository of opened) expect((await resolveBase(repository, "HEAD", clean)).base.commit).toBe(commit);
  expect(readdirSync(join(ground.home, "repositories"))).toHaveLength(1);
});

test("nothing of the user's runs and not a byte below .git changes, in the main or a linked worktree", async () => {
  await using ground = playground();
  const alarm = join(ground.folder, "alarm");
  ground.write("a", "1");
  ground.write(".gitattributes", "* filter=evil diff=evil text\n");
  const { tree } = ground.commit();
  ground.git("worktree", "add", "-q", join(ground.folder, "linked"));
  const program = join(ground.folder, "program");
  writeFileSync(program, `#!/bin/sh\ntouch '${alarm}'\ncat\n`);
  chmodSync(program, 0o755);
  for (const hook of [
    "post-checkout",
    "pre-commit",
    "reference-transaction",
    "post-index-change",
    "fsmonitor-watchman",
    "pre-auto-gc",
    "post-update",
  ]) {
    symlinkSync(program, join(ground.user, ".git/hooks", hook));
  }
  for (const key of [
    "core.fsmonitor",
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "diff.evil.textconv",
    "diff.evil.command",
    "diff.external",
    "core.sshCommand",
    "core.pager",
    "core.editor",
    "gpg.program",
    "alias.status",
    "core.alternateRefsCommand",
  ]) {
    ground.git("config", key, program);
  }
  ground.git("config", "core.untrackedCache", "true");
  ground.git("config", "core.hooksPath", join(ground.user, ".git/hooks"));
  writeFileSync(join(ground.user, "a"), "2");
  writeFileSync(join(ground.user, "fresh"), "2");
  rmSync(alarm, { force: true });
  const before = fingerprint(ground.user, { withTimes: true });
  const { createWorkspace } = await import("../../src/workspace/workspace.ts");
  const { createCheckout } = await import("../../src/workspace/checkout.ts");
  const { patchOf, statsOf } = await import("../../src/workspace/diff.ts");
  for (const [index, path] of [ground.user, join(ground.folder, "linked")].entries()) {
    const repository = await ground.open(path);
    await resolveBase(repository, "HEAD", clean);
    const workspace = await createWorkspace(repository, {
      directory: join(ground.folder, `w${index}`),
      tree,
      directories: [""],
    });
    writeFileSync(join(workspace.root, "a"), "3");
    const taken = await workspace.takeTree();
    await patchOf(repository, tree, taken.tree);
    await statsOf(repository, tree, taken.tree);
    const checkout = await createCheckout(repository, {
      directory: join(ground.folder, `c${index}`),
      tree: taken.tree,
    });
    await checkout.dispose();
    await workspace.dispose();
  }
  expect(fingerprint(ground.user, { withTimes: true })).toEqual(before);
  expect(readdirSync(ground.folder)).not.toContain("alarm");
});
