import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Fault } from "../../src/protocol/failure.ts";
import type { Git } from "../../src/workspace/git.ts";
import type { Inflation } from "../../src/workspace/inflate.ts";
import type { JudgeChanges, Objection } from "../../src/workspace/settle.ts";
import { Unsettled } from "../../src/workspace/unsettled.ts";
import { createWorkspace, type Workspace } from "../../src/workspace/workspace.ts";
import { type Playground, playground } from "./playground.ts";

const objection: Objection = { rule: "no rule", source: "task", reason: "it may not" };

/** Whatever begins with `own` may change. */
const onlyOwn: JudgeChanges = async (changes) =>
  new Map(changes.filter(({ path }) => !path.startsWith("own")).map(({ path }) => [path, objection]));

interface Ground extends Playground {
  workspace: Workspace;
  at(path: string): string;
  inflate(more?: Partial<Inflation>): Promise<void>;
  /** The paths that were put back. */
  after(work: (root: string) => void): Promise<string[]>;
}

async function groundWith(files: Readonly<Record<string, string>>, held: string[] = []): Promise<Ground> {
  const ground = playground();
  for (const [path, text] of Object.entries(files)) ground.write(path, text);
  const { tree, commit } = ground.commit();
  const repository = await ground.open();
  const workspace = await createWorkspace(repository, { directory: join(ground.folder, "w"), tree, files: held });
  return Object.assign(ground, {
    workspace,
    at: (path: string) => join(workspace.root, path),
    inflate: (more: Partial<Inflation> = {}) =>
      workspace.inflate({ isWithheld: () => false, commit: async () => commit, prepare: async () => {}, ...more }),
    async after(work: (root: string) => void) {
      const { settled } = await workspace.settleAfter(async () => work(workspace.root), onlyOwn);
      return settled.putBack.map(({ path }) => path).sort();
    },
  });
}

const git = (root: string, ...args: string[]) => execFileSync("git", args, { cwd: root, stdio: "pipe" }).toString();
const files = { "own/a": "a\n", "own/b": "b\n", "other/c": "c\n", "other/deep/d": "d\n", ".gitignore": "ignored/\n" };

test("a whole checkout comes in beside what was edited and deleted, and git tells just that", async () => {
  await using ground = await groundWith(files, ["own/a", "own/b"]);
  writeFileSync(ground.at("own/a"), "edited\n");
  writeFileSync(ground.at("own/new"), "new\n");
  rmSync(ground.at("own/b"));
  const earlier = await ground.workspace.takeTree();
  await ground.inflate();
  expect(readFileSync(ground.at("other/deep/d"), "utf8")).toBe("d\n");
  expect(existsSync(ground.at("own/b"))).toBe(false);
  expect(git(ground.workspace.root, "status", "--porcelain")).toBe(" M own/a\n D own/b\n?? own/new\n");
  expect(git(ground.workspace.root, "diff-index", "--name-only", "HEAD")).toBe("own/a\nown/b\n");
  expect(git(ground.workspace.root, "log", "--format=%s")).not.toBe("");
  expect(await ground.workspace.takeTree()).toEqual(earlier);
  expect(await ground.workspace.names("", 10)).toEqual({ names: [], isComplete: true });
  await ground.workspace.dispose();
  expect(readdirSync(join((await ground.open()).gitDir, "worktrees"))).toEqual([]);
});

test("what a setup prepared is there for commands and no part of the tree", async () => {
  await using ground = await groundWith(files);
  await ground.inflate({
    prepare: async (root) => {
      mkdirSync(join(root, "ignored"));
      writeFileSync(join(root, "ignored/x"), "x");
      writeFileSync(join(root, "generated"), "x");
    },
  });
  expect(await ground.after(() => writeFileSync(ground.at("ignored/y"), "y"))).toEqual([]);
  expect((await ground.workspace.takeTree()).touched).toEqual([]);
  expect(await ground.after(() => writeFileSync(ground.at("generated"), "changed"))).toEqual(["generated"]);
});

test("what a command may not change is as it was, and what it may change stays", async () => {
  await using ground = await groundWith({ ...files, run: "run\n" }, ["own/a"]);
  writeFileSync(ground.at("own/a"), "by the agent\n");
  await ground.inflate();
  const before = await ground.workspace.takeTree();
  const back = await ground.after((root) => {
    writeFileSync(join(root, "own/b"), "changed\n");
    writeFileSync(join(root, "other/c"), "changed\n");
    rmSync(join(root, "other/deep"), { recursive: true });
    chmodSync(join(root, "run"), 0o755);
    mkdirSync(join(root, "new/folder"), { recursive: true });
    writeFileSync(join(root, "new/folder/file"), "x");
    symlinkSync("own/a", join(root, "link"));
    writeFileSync(join(root, ".gitattributes"), "* filter=x\n");
  });
  expect(back).toEqual([".gitattributes", "link", "new/folder/file", "other/c", "other/deep/d", "run"]);
  expect(readFileSync(ground.at("other/c"), "utf8")).toBe("c\n");
  expect(readFileSync(ground.at("other/deep/d"), "utf8")).toBe("d\n");
  expect(lstatSync(ground.at("run")).mode & 0o111).toBe(0);
  for (const gone of ["new", "link", ".gitattributes"]) expect(existsSync(ground.at(gone))).toBe(false);
  expect(readFileSync(ground.at("own/a"), "utf8")).toBe("by the agent\n");
  const after = await ground.workspace.takeTree();
  expect(after.touched.map(({ path }) => path)).toEqual(["own/a", "own/b"]);
  expect(before.touched.map(({ path }) => path)).toEqual(["own/a"]);
});

test("nothing is put back or removed through a link that a command left", async () => {
  await using ground = await groundWith(files);
  const outside = join(ground.folder, "outside");
  mkdirSync(join(outside, "deep"), { recursive: true });
  writeFileSync(join(outside, "c"), "outside\n");
  writeFileSync(join(outside, "deep/d"), "outside\n");
  await ground.inflate();
  const back = await ground.after((root) => {
    rmSync(join(root, "other"), { recursive: true });
    symlinkSync(outside, join(root, "other"));
    symlinkSync(outside, join(root, "own/out"));
    rmSync(join(root, "own/b"));
    symlinkSync("a", join(root, "own/b"));
  });
  expect(back).toEqual(["other", "own/out"]);
  expect(readFileSync(join(outside, "c"), "utf8")).toBe("outside\n");
  expect(readFileSync(join(outside, "deep/d"), "utf8")).toBe("outside\n");
  expect(readFileSync(ground.at("other/c"), "utf8")).toBe("c\n");
  expect(readlinkSync(ground.at("own/b"))).toBe("a");
});

test("a file for a folder and a folder for a file are undone", async () => {
  await using ground = await groundWith(files);
  await ground.inflate();
  const back = await ground.after((root) => {
    rmSync(join(root, "other"), { recursive: true });
    writeFileSync(join(root, "other"), "a file now");
    rmSync(join(root, ".gitignore"));
    mkdirSync(join(root, ".gitignore/in"), { recursive: true });
    writeFileSync(join(root, ".gitignore/in/x"), "x");
  });
  expect(back).toContain("other/c");
  expect(readFileSync(ground.at("other/deep/d"), "utf8")).toBe("d\n");
  expect(readFileSync(ground.at(".gitignore"), "utf8")).toBe("ignored/\n");
  expect((await ground.workspace.takeTree()).touched).toEqual([]);
});

test("a FIFO, a repository inside and a stolen .git are gone, and keep nobody waiting", async () => {
  await using ground = await groundWith(files);
  await ground.inflate();
  const back = await ground.after((root) => {
    execFileSync("mkfifo", [join(root, "own/.gitignore"), join(root, "own/pipe")]);
    git(root, "init", "-q", "own/inside");
    rmSync(join(root, "own/inside/.git/HEAD"));
    execFileSync("mkfifo", [join(root, "own/inside/.git/HEAD")]);
    rmSync(join(root, ".git"));
    mkdirSync(join(root, ".git/hooks"), { recursive: true });
  });
  expect(back).toEqual(["own/.gitignore", "own/inside/.git", "own/pipe"]);
  expect(await ground.after((root) => void git(root, "status"))).toEqual([]);
  expect(lstatSync(ground.at(".git")).isFile()).toBe(true);
});

test("what may not be read is not there, no git leads to it, and it is not taken for deleted", async () => {
  await using ground = await groundWith({ ...files, "other/secret": "s\n" }, ["other/secret", "own/a"]);
  await ground.inflate({ isWithheld: (path) => path === "other/secret", commit: async () => undefined });
  expect(readdirSync(ground.at("other")).sort()).toEqual(["c", "deep"]);
  expect(existsSync(ground.at(".git"))).toBe(false);
  expect((await ground.workspace.takeTree()).touched).toEqual([]);
  const back = await ground.after((root) => {
    writeFileSync(join(root, "other/secret"), "mine");
    mkdirSync(join(root, ".git/hooks"), { recursive: true });
  });
  expect(back).toEqual([".git", "other/secret"]);
  expect(existsSync(ground.at("other/secret"))).toBe(false);
  expect((await ground.workspace.takeTree()).touched).toEqual([]);
});

test("folders inside folders until no path reaches them are gone, and so is the workspace", async () => {
  await using ground = await groundWith(files);
  await ground.inflate();
  const nest = `for i in $(seq 60); do mkdir ${"d".repeat(200)} && cd ${"d".repeat(200)} || exit 1; done; echo x > deep`;
  const back = await ground.after((root) => {
    execFileSync("bash", ["-c", nest], { cwd: join(root, "own") });
    execFileSync("bash", ["-c", nest], { cwd: join(root, "other") });
  });
  expect(back).toHaveLength(2);
  expect((await ground.workspace.takeTree()).touched).toEqual([]);
  expect(await ground.after((root) => void execFileSync("bash", ["-c", nest], { cwd: root }))).toHaveLength(1);
  execFileSync("bash", ["-c", nest], { cwd: ground.at("own") });
  await ground.workspace.dispose();
  expect(existsSync(ground.workspace.root)).toBe(false);
});

test("what a tool wrote before it was ignored stays in the tree, and what it wrote where git ignores is told", async () => {
  await using ground = await groundWith(files, ["own/a"]);
  writeFileSync(ground.at("own/keep.ts"), "kept\n");
  ground.workspace.wrote(["own/keep.ts"]);
  await ground.inflate();
  await ground.after((root) => {
    writeFileSync(join(root, "own/.gitignore"), "*.ts\n");
    writeFileSync(join(root, "own/made.ts"), "by a command\n");
  });
  writeFileSync(ground.at("own/after.ts"), "x");
  mkdirSync(ground.at("ignored"));
  writeFileSync(ground.at("ignored/z"), "x");
  ground.workspace.wrote(["own/after.ts", "ignored/z", "own/gone.ts"]);
  const taken = await ground.workspace.takeTree();
  expect(taken.touched.map(({ path }) => path)).toEqual(["own/.gitignore", "own/keep.ts"]);
  expect(taken.ignored).toEqual(["own/after.ts", "ignored/z"]);
  const back = await ground.after((root) => {
    rmSync(join(root, "ignored"), { recursive: true });
    mkdirSync(join(ground.folder, "elsewhere"));
    writeFileSync(join(ground.folder, "elsewhere/z"), "outside");
    symlinkSync(join(ground.folder, "elsewhere"), join(root, "ignored"));
    rmSync(join(root, "own/keep.ts"));
  });
  expect(back).toEqual(["ignored"]);
  expect((await ground.workspace.takeTree()).touched.map(({ path }) => path)).toEqual(["own/.gitignore"]);
});

test("a workspace of which git once could not tell what is ignored is never taken", async () => {
  await using ground = playground();
  ground.write("own/a", "a\n");
  const { tree, commit } = ground.commit();
  const repository = await ground.open();
  let isHeld = false;
  const git: Git = Object.assign(
    (...[args, options]: Parameters<Git>) =>
      isHeld && args.includes("ls-files") ? Promise.reject(new Fault("git", "no end")) : repository.git(args, options),
    { start: repository.git.start },
  );
  const workspace = await createWorkspace({ ...repository, git }, { directory: join(ground.folder, "held"), tree });
  await workspace.inflate({ isWithheld: () => false, commit: async () => commit, prepare: async () => {} });
  const held = workspace.settleAfter(async () => {
    isHeld = true;
  }, onlyOwn);
  await expect(held).rejects.toThrow(Unsettled);
  isHeld = false;
  await expect(workspace.takeTree()).rejects.toThrow("what it left cannot be taken: no end");
});

test("names that are no text are put back like others", async () => {
  await using ground = await groundWith(files);
  await ground.inflate();
  const name = Buffer.concat([Buffer.from(ground.at("bad")), Buffer.from([0xff, 0xfe])]);
  const folder = Buffer.concat([Buffer.from(ground.at("folder")), Buffer.from([0xff])]);
  const back = await ground.after(() => {
    writeFileSync(name, "x");
    mkdirSync(folder);
    writeFileSync(Buffer.concat([folder, Buffer.from("/x")]), "x");
  });
  expect(back).toHaveLength(2);
  expect(existsSync(name)).toBe(false);
  expect(existsSync(folder)).toBe(false);
});

test("what a command plants for git, in what is ignored too, holds up nothing and is gone", async () => {
  await using ground = await groundWith(files);
  await ground.inflate({
    prepare: async (root) => {
      mkdirSync(join(root, "ignored/repository/.git"), { recursive: true });
      writeFileSync(join(root, "ignored/repository/.git/HEAD"), "ref: refs/heads/main\n");
      writeFileSync(join(root, "ignored/x"), "x");
    },
  });
  const plant = (root: string, at: string) => {
    mkdirSync(join(root, at, ".git/objects"), { recursive: true });
    mkdirSync(join(root, at, ".git/refs"));
    execFileSync("mkfifo", [join(root, at, ".git/HEAD")]);
    symlinkSync("/dev/zero", join(root, at, ".git/commondir"));
  };
  expect(await ground.after((root) => plant(root, "ignored"))).toEqual(["ignored/.git"]);
  expect(existsSync(ground.at("ignored/repository/.git/HEAD"))).toBe(true);
  const back = await ground.after((root) => {
    writeFileSync(join(root, ".gitignore"), "");
    plant(root, "ignored/deep");
    mkdirSync(join(root, "ignored/rules"));
    execFileSync("mkfifo", [join(root, "ignored/rules/.gitignore")]);
    mkdirSync(join(root, "own/large"));
    execFileSync("truncate", ["-s", "1T", join(root, "own/large/.gitignore")]);
  });
  expect(back).toEqual(
    expect.arrayContaining([".gitignore", "ignored/deep/.git", "ignored/rules/.gitignore", "own/large/.gitignore"]),
  );
  expect((await ground.workspace.takeTree()).touched).toEqual([]);
});
