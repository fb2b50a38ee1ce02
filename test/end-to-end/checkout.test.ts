import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSheaf, patience, type Sheaf } from "../support/sheaf.ts";
import { fingerprint, type Playground, playground } from "../workspace/playground.ts";

/** What is the user's stays as it is to the bit until publish or apply, and these do what they say and no more. */
let ground: Playground;
let sheaf: Sheaf;
const hookNames = [
  "applypatch-msg pre-applypatch post-applypatch pre-commit pre-merge-commit prepare-commit-msg commit-msg post-commit",
  "pre-rebase post-checkout post-merge pre-push pre-receive update proc-receive post-receive post-update",
  "reference-transaction push-to-checkout pre-auto-gc post-rewrite sendemail-validate fsmonitor-watchman post-index-change",
].flatMap((line) => line.split(" "));

beforeAll(() => {
  ground = playground();
  for (const name of ["a", "b", "c"]) ground.write(`src/${name}.js`, `require("fs"); // ${name}\n`);
  ground.write("note.txt", "committed\n");
  ground.commit();
  ground.write("note.txt", "stashed\n");
  ground.git("stash", "-q");
  ground.git("branch", "other");
  ground.git("worktree", "add", "-q", join(ground.folder, "linked"), "other");
  // Uncommitted work of every kind: staged, changed, untracked.
  ground.write("staged.txt", "staged\n");
  ground.git("add", "staged.txt");
  ground.write("note.txt", "changed\n");
  ground.write("src/new.js", 'require("path");\n');
  mkdirSync(join(ground.user, ".git/hooks"), { recursive: true });
  for (const name of hookNames) {
    const hook = join(ground.user, ".git/hooks", name);
    writeFileSync(hook, `#!/bin/sh\necho ${name} >> '${join(ground.folder, "hooks-that-ran")}'\n`);
    chmodSync(hook, 0o755);
  }
  ground.git("config", "core.fsmonitor", join(ground.user, ".git/hooks/fsmonitor-watchman"));
  sheaf = openSheaf({ inProcess: true });
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

const seen = () => fingerprint(ground.folder, { withTimes: true });
const differences = (before: Map<string, string>, after: Map<string, string>) =>
  [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => name.slice(ground.user.length + 1))
    .sort();
const codemod = ["--codemod", "node-protocol", "--repo"];
/** git itself asks the monitor and runs hooks, so the tests look with plumbing that does not. */
const quiet = (...args: string[]) =>
  ground.git("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", ...args);

describe("the user's checkout", { timeout: patience }, () => {
  it("is the same to the bit after a run, and its uncommitted changes are said and left out", async () => {
    const before = seen();
    const { result, stderr } = await sheaf.job([...codemod, ground.user, "--check", "test ! -e src/new.js"]);
    expect(result.outcome).toBe("succeeded");
    expect(stderr).toMatch(/^base {3}without 3 uncommitted changes \(.*\); --include-dirty takes them in$/m);
    expect(result.tasks.reduce((sum, task) => sum + task.files_changed, 0)).toBe(3);
    for (const words of [["show"], ["diff"], ["logs"], ["status"], ["list"]]) await sheaf.call(words);
    await sheaf.call(["plan", ...codemod, ground.user]);
    expect(differences(before, seen())).toEqual([]);
  });

  it("takes uncommitted changes in only with --include-dirty, and stays the same to the bit then too", async () => {
    const before = seen();
    const check = "grep -q node:path src/new.js && grep -q changed note.txt && grep -q staged staged.txt";
    const { result, stderr } = await sheaf.job([...codemod, ground.user, "--include-dirty", "--check", check]);
    expect(result).toMatchObject({ outcome: "succeeded", checks: [{ state: "passed" }] });
    expect(stderr).toMatch(/^base {3}with 3 uncommitted changes/m);
    expect(result.tasks.reduce((sum, task) => sum + task.files_changed, 0)).toBe(4);
    expect(differences(before, seen())).toEqual([]);
  });

  it("gets a published branch and nothing else: no hook runs, HEAD, index and files stay", async () => {
    const before = seen();
    const { result } = await sheaf.job([...codemod, ground.user, "--publish", "branch=bot/node"]);
    expect(result.published).toEqual({ branch: "bot/node" });
    expect(quiet("rev-parse", "bot/node")).toBe(result.result_commit);
    expect(quiet("diff", "--stat", "HEAD", "bot/node")).toContain("3 files changed");
    expect(quiet("log", "-1", "--format=%B", "bot/node")).toMatch(
      /Assisted-by: node-protocol\nSheaf-Job: node-protocol-3/,
    );
    const touched = differences(before, seen());
    expect(touched.filter((path) => !/^\.git\/(objects|refs\/heads\/bot|logs\/refs\/heads\/bot)\//.test(path))).toEqual(
      [],
    );
    expect(quiet("fsck", "--strict")).not.toMatch(/error|missing/);
    const again = await sheaf.call(["run", ...codemod, ground.user, "--publish", "branch=bot/node"]);
    expect(again).toMatchObject({ code: 75, stdout: "" });
    expect(again.stderr).toMatch(/branch bot\/node is at \w+; it was to be a new one[\s\S]*existing: skip/);
  });

  it("gets a patch where the job was started, which git applies", async () => {
    const before = seen();
    const words = [...codemod, ground.user, "--publish", "patch=out/node.patch", "-o", "out/result.json"];
    const { result } = await sheaf.job(words, { cwd: ground.folder });
    const file = join(ground.folder, "out/node.patch");
    expect(result.published).toEqual({ patch_file: file });
    expect([...seen().keys()].filter((name) => !before.has(name))).toEqual([
      file,
      join(ground.folder, "out/result.json"),
    ]);
    const { stdout } = await sheaf.call(["diff", "last"]);
    expect(stdout).toBe(readFileSync(file, "utf8"));
    quiet("apply", "--check", file);
  });

  it("is changed by apply in the files of the result alone, and never over the user's own changes", async () => {
    const { result } = await sheaf.job([...codemod, ground.user]);
    const mine = readFileSync(join(ground.user, "src/b.js"));
    ground.write("src/b.js", 'require("fs"); // b, and mine\n');
    const dirty = seen();
    const refused = await sheaf.call(["apply"]);
    expect(refused).toMatchObject({ code: 75, stdout: "" });
    expect(refused.stderr).toMatch(/nothing was applied.*src\/b\.js has changes of its own[\s\S]*try: commit, stash/);
    expect(differences(dirty, seen())).toEqual([]);
    writeFileSync(join(ground.user, "src/b.js"), mine);
    const before = seen();
    const asBranch = await sheaf.call(["apply", "last", "--branch", "taken"]);
    expect(asBranch).toMatchObject({ code: 0, stdout: `branch taken is at ${result.result_commit}\n` });
    expect(differences(before, seen()).filter((path) => path.startsWith("src/"))).toEqual([]);
    const branched = seen();
    const applied = await sheaf.call(["apply", "last"]);
    expect(applied.stdout).toContain("3 files changed in");
    expect(differences(branched, seen())).toEqual(["src/a.js", "src/b.js", "src/c.js"]);
    expect(readFileSync(join(ground.user, "src/a.js"), "utf8")).toBe('require("node:fs"); // a\n');
    expect(readFileSync(join(ground.user, "note.txt"), "utf8")).toBe("changed\n");
    expect(await sheaf.call(["apply"])).toMatchObject({ code: 0, stdout: expect.stringContaining("0 files changed") });
    expect(readdirSync(ground.folder)).not.toContain("hooks-that-ran");
  });
});
