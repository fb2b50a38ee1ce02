import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCheckout } from "../../src/workspace/checkout.ts";
import { createGit } from "../../src/workspace/git.ts";
import { gitFolders } from "../../src/workspace/git-folders.ts";
import { openRepository } from "../../src/workspace/repository.ts";
import { openSandboxed, type Sandboxed } from "../support/sandboxed.ts";

let box: Sandboxed;
beforeAll(() => {
  // The Node that runs this test stands in a folder outside the system, as one of a version manager would.
  box = openSandboxed({
    path: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    packageFolder: "/nowhere",
    isClosed: true,
  });
});
afterAll(() => box[Symbol.dispose]());

describe("ordinary work in bubblewrap", () => {
  it("goes on in a small package: node, its tests, its threads and its network interfaces", async () => {
    const script = "node --test && node check.mjs";
    writeFileSync(
      join(box.tree, "package.json"),
      JSON.stringify({ name: "small", type: "module", scripts: { test: script } }),
    );
    writeFileSync(join(box.tree, "one.test.js"), 'import test from "node:test"; test("works", () => {});');
    writeFileSync(join(box.tree, "check.mjs"), checkScript);
    const ended = await box.run("npm test 2>&1 || node --version");
    expect(ended.output.toString()).toContain("everything works: v");
    expect(ended.exit).toBe(0);
  });

  it("starts nothing from a folder that only looks like a repository", async () => {
    const planted = join(box.tree, "planted");
    for (const folder of ["objects", "refs"]) mkdirSync(join(planted, folder), { recursive: true });
    writeFileSync(join(planted, "HEAD"), "ref: refs/heads/main\n");
    const started = 'fsmonitor = "echo started >&2; false"';
    writeFileSync(
      join(planted, "config"),
      `[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\n${started}\n`,
    );
    const ended = await box.run("git -C planted status; cd planted && git status");
    rmSync(planted, { recursive: true });
    expect(ended.exit).not.toBe(0);
    expect(ended.output.toString()).not.toContain("started");
  });

  it("goes on where output is opened by its name", async () => {
    const ended = await box.run("echo 1 > /dev/stdout; echo 2 > /dev/stderr; echo 3 | tee /dev/stderr >/dev/null", {
      stdoutBytes: 100,
    });
    expect(ended).toMatchObject({ exit: 0, outputBytes: 6, stdout: { bytes: Buffer.from("1\n") } });
  });

  it("goes on in shells, perl and python", async () => {
    expect(await box.say("printf 'b\\na\\n' | sort | tee sorted | head -1; cat <<E\nhere $((1 + 1))\nE")).toBe(
      "a\nhere 2",
    );
    expect(await box.say("perl -MPOSIX -e 'print scalar getpwuid($<)'; id -un; echo ~; date +%Y > /dev/null")).toBe(
      "sheafsheaf\n/home/sheaf",
    );
    const python =
      "import subprocess, threading, tempfile; t = threading.Thread(target=lambda: print(subprocess.check_output(['echo', 'hi']).decode())); t.start(); t.join()";
    expect(await box.say(`if command -v python3 >/dev/null; then python3 -c "${python}"; else echo hi; fi`)).toBe("hi");
  });

  it("goes on in a checkout of ours: git tells what changed, what was before, and what is to come", async () => {
    const user = join(box.root, "user");
    mkdirSync(user);
    const git = (...words: string[]) =>
      execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@example.com", ...words], {
        cwd: user,
        encoding: "utf8",
      }).trim();
    git("init", "-q");
    writeFileSync(join(user, "file"), "one\n");
    git("add", ".");
    git("commit", "-qm", "first");
    const home = join(box.root, "home");
    const repository = await openRepository(user, { home, git: createGit({ path: process.env.PATH ?? "" }) });
    const checkout = await createCheckout(repository, {
      directory: join(box.root, "checkout"),
      tree: git("rev-parse", "HEAD^{tree}"),
      parents: [git("rev-parse", "HEAD")],
    });
    const readable = await gitFolders(repository);
    await box.sandbox.handOver(checkout.root);
    const given = { cwd: checkout.root, readable };
    expect(
      await box.say(
        "git status --short; git log --format=%s; echo two >> file; git diff --stat; git status --short; git ls-files",
        given,
      ),
    ).toBe("The tree under check\nfirst\n file | 1 +\n 1 file changed, 1 insertion(+)\n M file\nfile");
    expect(await box.run("git add file || git commit -am x || git config a.b c", given)).not.toMatchObject({ exit: 0 });
    await checkout.dispose();
    await repository.close();
    rmSync(user, { recursive: true });
  });
});

const checkScript = `
import { Worker } from "node:worker_threads";
import { execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { createServer } from "node:http";
import { mkdtempSync } from "node:fs";
const page = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
networkInterfaces();
mkdtempSync("/tmp/x-");
await new Promise((done) => new Worker("", { eval: true }).on("exit", done));
const server = createServer((_, answer) => answer.end("ok")).listen(0, "127.0.0.1");
await new Promise((done) => server.on("listening", done));
const answer = await fetch("http://localhost:" + server.address().port);
server.close();
const said = execFileSync(process.execPath, ["--version"]).toString().trim();
if ((await answer.text()) === "ok" && page.buffer.byteLength > 0) console.log("everything works: " + said);
`;
