import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { problemOf } from "../../examples/demo/refactor-package.ts";
import { result as resultShape } from "../../src/protocol/result.ts";

const checkout = join(import.meta.dirname, "../..");
const run = promisify(execFile);
const patience = 180_000;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sheaf-demo-test-"));
});

afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

describe("the demo", { timeout: patience }, () => {
  let printed: string;

  beforeAll(async () => {
    const { code, stdout, stderr } = await demo("default", []);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    printed = stdout;
  }, patience);

  it("refactors at least 50 files of a real package by at least 4 sub-agents, and says what landed", async () => {
    const [, landed, files] = /^DONE {3}(\d+) of \1 landed, 3 tool calls denied; (\d+) files /m.exec(printed) ?? [];
    expect(Number(landed)).toBeGreaterThan(4);
    expect(Number(files)).toBeGreaterThanOrEqual(50);
    expect(printed).toMatch(/^train {2}\d+ trees folded into one in .*, no checkout$/m);
    expect(printed).toMatch(/^check {2}"every module loads, one request is served" {2}green/m);
  });

  it("shows the agent that left its scope denied: outside the repository, at a sibling's file, and in a command", () => {
    expect(printed).toMatch(/write \.\.\/\.\.\/\.npmrc +DENIED .*outside the repository/);
    expect(printed).toMatch(/write lib\/server\.js +DENIED .*Edit\(\/NOTES\.md\)/);
    expect(printed).toMatch(/bash ls lib && curl .* +DENIED .*Bash\(ls:/);
    expect(printed).toContain("note   its check runs in Sheaf's sandbox");
  });

  it("would call a run without one of those denials, or with another outcome, a failed demo", async () => {
    const { stdout } = await shell(`${commandAfter("who did what")} --output-format json`);
    const result = resultShape.parse(JSON.parse(stdout));
    expect(problemOf(result)).toBeUndefined();
    expect(problemOf({ ...result, denials: result.denials.slice(1) })).toMatch("../../.npmrc was not denied");
    expect(problemOf({ ...result, outcome: "partial" })).toBeDefined();
    expect(problemOf({ ...result, tasks: result.tasks.slice(0, 3) })).toMatch("only 3 tasks landed");
  });

  it("has a check that is green on what was taken home, and red as soon as one module does not load", async () => {
    const [, file = ""] = /^file +(\S+)$/m.exec(printed) ?? [];
    const repository = join(file, "../fastify");
    await shell(commandAfter("take it home"));
    expect(await readFile(join(repository, "lib/server.js"), "utf8")).toContain("require('node:http')");
    expect(await readFile(join(repository, "NOTES.md"), "utf8")).toContain("node: prefix");
    const [{ run: check }] = parse(await readFile(file, "utf8")).checks;
    expect(await checked(check, repository)).toBe(0);

    for (const [path, text] of breakages) {
      const before = await readFile(join(repository, path), "utf8");
      await writeFile(join(repository, path), text);
      expect(await checked(check, repository), path).toBe(1);
      await writeFile(join(repository, path), before);
    }
    expect(await checked(check, repository)).toBe(0);
  });

  /** A prefix too many, a syntax error where nobody looks, a server that answers something else, one that never does. */
  const breakages = [
    ["lib/reqIdGenFactory.js", "require('node:no-such-module')\n"],
    ["lib/noop-set.js", "module.exports = class {\n"],
    ["fastify.js", "module.exports = () => ({ get () {}, inject: async () => ({ statusCode: 500, body: '' }) })\n"],
    ["fastify.js", "module.exports = () => ({ get () {}, inject: () => new Promise(() => {}) })\n"],
  ] as const;

  /** What stands beside that word on the screen, to be pasted. */
  function commandAfter(word: string): string {
    return (
      printed
        .split("\n")
        .find((line) => line.startsWith(`  ${word} `))
        ?.slice(word.length + 2) ?? "false"
    );
  }
});

describe("the demo on a repository of one's own", { timeout: patience }, () => {
  it("writes a patch that the printed command applies, and touches nothing else; then there is nothing to do", async () => {
    const repository = await ownRepository("it's mine");
    const before = await sums(repository);
    const first = await demo("own", ["--repo", repository, "--check", "node src/run.js"]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toContain("on your word this runs, in a clean checkout: node src/run.js");
    expect(await sums(repository)).toEqual(before);
    expect(await readdir(join(folder, "own"))).toEqual(["it's mine-node-protocol.patch"]);

    await shell(/take it home +(.*)/.exec(first.stdout)?.[1] ?? "false");
    expect(await readFile(join(repository, "src/run.js"), "utf8")).toBe('require("node:fs").statSync(__filename);\n');
    await git(repository, "commit", "--quiet", "--all", "--message=prefixes");
    const second = await demo("own", ["--repo", repository]);
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(second.stdout).toContain("nothing to do");
    expect(await readdir(join(folder, "own"))).toEqual(["it's mine-node-protocol.patch"]);
  });

  it("writes nothing and says why when the check is red", async () => {
    const repository = await ownRepository("red");
    const { code, stdout } = await demo("red-start", [
      "--repo",
      repository,
      "--check",
      "! grep -q node: src/run.js || { echo no prefixes here; exit 3; }",
    ]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAILED failed: .*exit 3/m);
    expect(stdout).toContain("no prefixes here");
    expect(await readdir(join(folder, "red-start"))).toEqual([]);
  });

  it("refuses a folder that is no repository, and leaves nothing behind", async () => {
    await mkdir(join(folder, "plain"));
    const { code, stderr } = await demo("none", ["--repo", join(folder, "plain")]);
    expect(code).toBe(1);
    expect(stderr).toContain("is not in a git repository");
    expect(await readdir(temporary("none"))).toEqual([]);
  });

  async function ownRepository(name: string): Promise<string> {
    const repository = join(folder, name);
    await mkdir(join(repository, "src"), { recursive: true });
    await writeFile(join(repository, "src/run.js"), 'require("fs").statSync(__filename);\n');
    await writeFile(join(repository, "README.md"), "mine\n");
    await git(repository, "init", "--quiet");
    await git(repository, "add", "--all");
    await git(repository, "commit", "--quiet", "--message=all");
    return repository;
  }
});

describe("a demo that is stopped", { timeout: patience }, () => {
  it.each([
    { moment: "before the job has begun", line: "repo " },
    { moment: "while its agents work", line: "  part-" },
  ])("leaves with 130 on Ctrl-C $moment, and removes its folder", async ({ line }) => {
    const child = await start("stopped", []);
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk;
      if (stdout.includes(line)) child.kill("SIGINT");
    });
    const [code] = await once(child, "close");
    expect(code).toBe(130);
    expect(await readdir(temporary("stopped"))).toEqual([]);
  });
});

describe("the words of the demo", () => {
  it("are explained by --help, and refused when they mean nothing", async () => {
    expect(await demo("words", ["--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("--repo DIR") });
    expect(await demo("words", ["--chekc"])).toMatchObject({ code: 1, stderr: expect.stringContaining("--help") });
    expect(await demo("words", ["--check", "true"])).toMatchObject({ code: 1 });
    expect(await readdir(temporary("words"))).toEqual([]);
  });
});

/** The demo, started in a folder of that name and with temporary files of its own. */
async function demo(name: string, words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = await start(name, words);
  const printed = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (printed.stdout += chunk));
  child.stderr.on("data", (chunk: Buffer) => (printed.stderr += chunk));
  const [code] = await once(child, "close");
  return { code, ...printed };
}

async function start(name: string, words: string[]) {
  const cwd = join(folder, name);
  await mkdir(cwd, { recursive: true });
  await mkdir(temporary(name), { recursive: true });
  const env = { ...process.env, TMPDIR: temporary(name), NO_COLOR: "1" };
  const script = join(checkout, "examples/demo/demo.ts");
  return spawn(process.execPath, [script, ...words], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
}

function temporary(name: string): string {
  return join(folder, `${name}-tmp`);
}

function shell(command: string): Promise<{ stdout: string }> {
  return run("/bin/sh", ["-c", command], { cwd: folder });
}

/** The exit code of a check, with the little that a check finds around it. */
async function checked(command: string, cwd: string): Promise<number> {
  const child = spawn("/bin/sh", ["-c", command], { cwd, env: { PATH: process.env.PATH, HOME: folder } });
  const [code] = await once(child, "exit");
  return code;
}

async function git(cwd: string, ...args: string[]): Promise<void> {
  const identity = ["-c", "user.name=T", "-c", "user.email=t@t.invalid", "-c", "commit.gpgSign=false"];
  await run("git", [...identity, ...args], { cwd });
}

/** Every file below a folder, `.git` included, with the hash of what it holds. */
async function sums(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = files.sort().map(async (path) => {
    return [
      path,
      createHash("sha256")
        .update(await readFile(path))
        .digest("hex"),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}
