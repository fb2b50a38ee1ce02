import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveBase } from "../../src/workspace/base.ts";
import { fetchUrl } from "../../src/workspace/fetch-url.ts";
import { createGit } from "../../src/workspace/git.ts";
import { gitFolders } from "../../src/workspace/git-folders.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { fingerprint, git, type Playground, playground } from "./playground.ts";

const clean = { includeDirty: false };

/** A program whose run shows: it writes a file. */
function plantProgram(ground: Playground): { program: string; alarm: string } {
  const alarm = join(ground.folder, "alarm");
  const program = join(ground.folder, "program");
  writeFileSync(program, `#!/bin/sh\necho "$0" "$@" >> '${alarm}'\nexit 1\n`);
  chmodSync(program, 0o755);
  return { program, alarm };
}

test("a missing object is fetched by nobody, whatever the repository allows itself", async () => {
  await using ground = playground();
  const { program, alarm } = plantProgram(ground);
  ground.write("a", "1");
  ground.commit();
  ground.git("config", "remote.evil.url", `ext::${program.replaceAll(" ", "% ")}`);
  ground.git("config", "protocol.ext.allow", "always");
  writeFileSync(join(ground.user, ".git/refs/heads/gone"), `${"1".repeat(40)}\n`);
  const repository = await ground.open();
  // Since it was opened, it has become a partial clone.
  ground.git("config", "remote.evil.promisor", "yes");
  expect(() => ground.git("rev-parse", "--verify", "gone^{commit}")).toThrow();
  expect(existsSync(alarm)).toBe(true);
  rmSync(alarm);
  await expect(resolveBase(repository, "gone", clean)).rejects.toMatchObject({ code: "unknown_ref" });
  // A git that knows no other way to be told.
  const { gitDir } = repository.user;
  const old = { gitDir, accept: [128], env: { GIT_NO_LAZY_FETCH: "0" } };
  expect((await git(["rev-parse", "--verify", "gone^{commit}"], old)).stderr).toContain("'ext' not allowed");
  expect(existsSync(alarm)).toBe(false);
});

test.each(["true", "yes", "on", "1", "TRUE"])("a partial clone that says so by %s is refused", async (value) => {
  await using ground = playground();
  ground.write("a", "1");
  ground.commit();
  ground.git("config", "remote.evil.promisor", value);
  await expect(ground.open()).rejects.toMatchObject({ code: "unsupported_repository" });
  ground.git("config", "remote.evil.promisor", "off");
  await ground.open();
});

test("git is found on no folder of the repository, wherever PATH leads from there", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const { commit } = ground.commit();
  const { alarm } = plantProgram(ground);
  for (const place of ["git", "bin/git"]) {
    ground.write(place, `#!/bin/sh\ntouch '${alarm}'\n`);
    chmodSync(join(ground.user, place), 0o755);
  }
  const careless = createGit({ path: `.::bin:./bin:${process.env.PATH}` });
  const repository = await openRepository(ground.user, { home: ground.home, git: careless });
  expect((await resolveBase(repository, "HEAD", clean)).base.commit).toBe(commit);
  await repository.close();
  expect(existsSync(alarm)).toBe(false);
});

test("nothing of the caller's environment reaches git", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const { commit } = ground.commit();
  const { program, alarm } = plantProgram(ground);
  const planted = {
    GIT_DIR: "/nowhere",
    GIT_WORK_TREE: "/",
    GIT_INDEX_FILE: "/nowhere/index",
    GIT_OBJECT_DIRECTORY: "/nowhere/objects",
    GIT_EXTERNAL_DIFF: program,
    GIT_SSH_COMMAND: program,
    GIT_EXEC_PATH: ground.folder,
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "core.fsmonitor",
    GIT_CONFIG_VALUE_0: program,
    GIT_CONFIG_PARAMETERS: `'core.fsmonitor=${program}'`,
    GIT_TEMPLATE_DIR: ground.folder,
    GIT_TRACE2: join(ground.folder, "alarm"),
  };
  const before = Object.keys(planted).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, planted);
  try {
    const repository = await openRepository(ground.user, { home: ground.home, git });
    expect((await resolveBase(repository, "HEAD", clean)).base.commit).toBe(commit);
    await repository.close();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
  expect(existsSync(alarm)).toBe(false);
});

test.each([
  ".git/config",
  ".git/HEAD",
  ".git/index",
  ".git/packed-refs",
  ".git/info/exclude",
  ".git/info/attributes",
  ".git/objects/info/alternates",
  ".git/shallow",
  ".gitignore",
  ".gitattributes",
])("a pipe in the place of %s is refused and not waited for", async (path) => {
  await using ground = playground();
  ground.write("a", "1");
  ground.commit();
  rmSync(join(ground.user, path), { force: true });
  mkdirSync(join(ground.user, path, ".."), { recursive: true });
  execFileSync("mkfifo", [join(ground.user, path)]);
  const opened = ground.open().then((repository) => resolveBase(repository, "HEAD", clean));
  await expect(opened).rejects.toMatchObject({
    code: "unsupported_repository",
    message: expect.stringContaining(path),
  });
});

test("a pipe that git alone can know of is given up after a while, and one that holds no rules is left out", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const { commit } = ground.commit();
  const pipe = join(ground.folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  ground.git("config", "core.excludesFile", pipe);
  const repository = await ground.open();
  ground.write("b", "1");
  expect((await resolveBase(repository, "HEAD", clean)).dirty.sample).toEqual(["b"]);
  ground.git("config", "include.path", pipe);
  const asked = git(["rev-parse", "HEAD"], { gitDir: repository.user.gitDir, timeoutMs: 300 });
  await expect(asked).rejects.toMatchObject({
    code: "git",
    message: expect.stringContaining("did not come to an end"),
  });
  expect(commit).toHaveLength(40);
});

test("a repository whose configuration puts its files elsewhere is refused; submodules and worktrees are not", async () => {
  await using ground = playground();
  ground.write("a", "1");
  ground.commit();
  ground.git("worktree", "add", "-q", join(ground.folder, "linked"));
  const inner = join(ground.user, "inner");
  ground.gitIn(ground.user, undefined, "clone", "-q", ground.user, inner);
  await ground.open(join(ground.folder, "linked"));
  await ground.open(inner);
  ground.git("submodule", "add", "-q", ground.user, "sub");
  await ground.open(join(ground.user, "sub"));
  ground.gitIn(ground.folder, undefined, "clone", "-q", "--separate-git-dir=apart.git", ground.user, "apart");
  await ground.open(join(ground.folder, "apart"));
  ground.gitIn(inner, undefined, "config", "core.worktree", ground.folder);
  await expect(ground.open(inner)).rejects.toMatchObject({
    code: "unsupported_repository",
    message: expect.stringContaining(`says that its files are in ${ground.folder}`),
  });
});

test("what is borrowed from a folder that is no store of objects is refused, and shown to no command", async () => {
  await using ground = playground();
  ground.write("a", "1");
  ground.commit();
  const secrets = join(ground.folder, "secrets");
  mkdirSync(join(secrets, "pack"), { recursive: true });
  writeFileSync(join(secrets, "id_ed25519"), "private");
  const honest = join(ground.folder, "honest");
  ground.gitIn(ground.folder, undefined, "clone", "-q", "--shared", ground.user, honest);
  const repository = await ground.open(honest);
  const stores = [join(honest, ".git/objects"), join(ground.user, ".git/objects")];
  expect((await gitFolders(repository)).slice(1)).toEqual(stores);
  writeFileSync(join(honest, ".git/objects/info/alternates"), `${secrets}\n${stores[1]}\n`);
  expect((await gitFolders(repository)).slice(1)).toEqual(stores);
  await expect(ground.open(honest)).rejects.toMatchObject({
    code: "unsupported_repository",
    message: expect.stringContaining("which holds other things"),
  });
});

test("a name that is meant as an option or a search is no name of a commit", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const { commit } = ground.commit();
  const { alarm } = plantProgram(ground);
  const repository = await ground.open();
  for (const ref of [
    `--upload-pack=touch ${alarm}`,
    "--all",
    "-h",
    ":/(a+)+$",
    "HEAD^{/(a+)+$}",
    ":0:a",
    "HEAD:a",
    "HEAD..HEAD",
    "^HEAD",
    "HEAD\n",
    "",
  ]) {
    await expect(resolveBase(repository, ref, clean), ref).rejects.toMatchObject({ code: "unknown_ref" });
  }
  // Git lets refs be named like options when they are made below its own commands.
  ground.git("update-ref", "refs/heads/--upload-pack=x", commit);
  expect((await resolveBase(repository, "refs/heads/--upload-pack=x", clean)).base.commit).toBe(commit);
});

test("a repository that is fetched runs nothing here, and takes no other way than its own", async () => {
  await using ground = playground();
  ground.write("a", "1");
  const { commit } = ground.commit();
  const { program, alarm } = plantProgram(ground);
  for (const key of ["uploadpack.packObjectsHook", "core.alternateRefsCommand", "core.fsmonitor", "core.gitProxy"]) {
    ground.git("config", key, program);
  }
  for (const hook of ["post-update", "reference-transaction", "pre-receive"]) {
    symlinkSync(program, join(ground.user, ".git/hooks", hook));
  }
  const directory = join(ground.folder, "fetched.git");
  await fetchUrl(git, { url: `file://${ground.user}`, directory });
  const { stdout } = await git(["rev-parse", "refs/heads/main"], { gitDir: directory });
  expect(stdout.toString().trim()).toBe(commit);
  for (const url of [`ext::${program}`, `file://${ground.folder}/nothing`, "--upload-pack=x", "fd::3"]) {
    await expect(fetchUrl(git, { url, directory: join(ground.folder, "none.git") })).rejects.toMatchObject({
      code: "provider_unavailable",
    });
  }
  expect(existsSync(alarm)).toBe(false);
});

test("a git folder that another repository's folder stands for runs nothing of either", async () => {
  await using ground = playground();
  ground.write("a", "1");
  ground.commit();
  const { program, alarm } = plantProgram(ground);
  const bare = join(ground.user, "assets/theme");
  ground.gitIn(ground.folder, undefined, "clone", "-q", "--bare", ground.user, bare);
  for (const key of ["core.fsmonitor", "core.sshCommand", "core.pager", "alias.rev-parse", "diff.external"]) {
    ground.gitIn(bare, undefined, "config", key, program);
  }
  for (const hook of ["post-checkout", "reference-transaction", "post-index-change"]) {
    symlinkSync(program, join(bare, "hooks", hook));
  }
  const linked = join(ground.folder, "linked");
  mkdirSync(linked);
  writeFileSync(join(linked, ".git"), `gitdir: ${bare}\n`);
  const before = fingerprint(bare);
  const fromBare = await ground.open(bare);
  expect((await resolveBase(fromBare, "HEAD", clean)).dirty.count).toBe(0);
  await ground.open(linked).catch(() => {});
  expect(fingerprint(bare)).toEqual(before);
  expect(existsSync(alarm)).toBe(false);
  expect(readdirSync(ground.folder)).not.toContain("alarm");
});
