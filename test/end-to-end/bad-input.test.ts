import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Called, openSheaf, patience, type Sheaf } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";

/** What is wrong is said clearly, with the exit code of its kind, and nothing is lost by it. */
let ground: Playground;
let sheaf: Sheaf;

beforeAll(() => {
  ground = playground();
  ground.write("a.js", 'require("fs");\n');
  ground.commit();
  sheaf = openSheaf({ inProcess: true });
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

const codemod = ["--codemod", "node-protocol", "--repo"];

/** One error line, one remedy at most, no stack, nothing on stdout. */
function expectRefusal(called: Called, code: number, message: RegExp): void {
  expect(called).toMatchObject({ code, stdout: "" });
  expect(called.stderr).toMatch(message);
  expect(called.stderr).toMatch(/^error /m);
  expect(called.stderr).not.toMatch(/\n {4}at |node:internal|ZodError|Failed query/);
}

describe("a repository that cannot be worked on", { timeout: patience }, () => {
  it("is refused when there is none, when it has no commit, and when the ref is unknown", async () => {
    const empty = join(ground.folder, "empty");
    mkdirSync(empty);
    const called = await sheaf.call(["run", ...codemod, empty], { asProcess: true });
    expectRefusal(called, 64, /is not in a git repository/);
    expectRefusal(await sheaf.call(["run", ...codemod, join(empty, "nowhere")]), 64, /nowhere/);
    ground.gitIn(empty, undefined, "init", "-q");
    expectRefusal(await sheaf.call(["run", ...codemod, empty]), 64, /no commit[\s\S]*try: /);
    const unknown = await sheaf.call(["run", ...codemod, ground.user, "--ref", "mian"]);
    expectRefusal(unknown, 64, /"?mian"?[\s\S]*try: /);
    expectRefusal(await sheaf.call(["plan", ...codemod, ground.user, "--ref", "--upload-pack=x"]), 64, /upload-pack/);
  });

  it("is only read while another git holds its index, and a locked branch costs the publishing, not the result", async () => {
    const held = join(ground.user, ".git/index.lock");
    const branch = join(ground.user, ".git/refs/heads/bot.lock");
    writeFileSync(held, "");
    writeFileSync(branch, "");
    const { result } = await sheaf.job([...codemod, ground.user, "--publish", "branch=bot"]);
    expect(result).toMatchObject({ outcome: "error", exit_code: 75, tasks: [{ landed: true }] });
    expect(result.reason?.message).toMatch(/bot\.lock/);
    expect(result.reason?.remedy).toBeTruthy();
    expect(result.result_commit).toMatch(/^[0-9a-f]{40}$/);
    expectRefusal(await sheaf.call(["apply"]), 75, /index\.lock[\s\S]*try: /);
    expectRefusal(await sheaf.call(["apply", "--branch", "bot"]), 75, /bot\.lock/);
    rmSync(branch);
    rmSync(held);
    expect(await sheaf.call(["apply", "--branch", "bot"])).toMatchObject({ code: 0 });
    expect(ground.git("show", "bot:a.js")).toBe('require("node:fs");');
  });
});

describe("a job file that is wrong", { timeout: patience }, () => {
  const bomb = [...Array(12).keys()].map((n) =>
    n === 0
      ? "x-a0: &a0 [x, x, x, x, x, x, x, x, x]"
      : `x-a${n}: &a${n} [${Array(9)
          .fill(`*a${n - 1}`)
          .join(", ")}]`,
  );
  const cases: [string, string | Buffer, RegExp][] = [
    ["is empty", "", /wrong\.yaml.*empty/],
    ["has only a comment", "# nothing\n", /wrong\.yaml/],
    ["is 10 MB", `version: 1\n# ${"x".repeat(10_000_000)}`, /wrong\.yaml.*(large|MB|bytes)/],
    ["is a YAML bomb", `version: 1\neach: [{ codemod: node-protocol }]\n${bomb.join("\n")}\n`, /wrong\.yaml/],
    ["is nested too deeply", `version: 1\neach: ${"[".repeat(20_000)}`, /wrong\.yaml/],
    ["is not YAML", "version: 1\neach: [}\n", /wrong\.yaml:2:8/],
    ["is not UTF-8", Buffer.from([0xff, 0xfe, 0x00, 0x80]), /wrong\.yaml/],
    [
      "misspells a key",
      "version: 1\neach:\n  - codemod: node-protocol\nchekcs: [npm test]\n",
      /wrong\.yaml:4:1: .*"chekcs".*"checks"/,
    ],
    [
      "has wrong types",
      "version: one\neach: 3\nlimits: { time: 5 }\n",
      /wrong\.yaml:1:10: [\s\S]*wrong\.yaml:2:7: [\s\S]*wrong\.yaml:3:17: /,
    ],
    ["uses a key that is not built", "version: 1\nprompt: Do it\ntriggers: []\n", /wrong\.yaml:3:1: .*not built yet/],
    [
      "names a rule file that is not there",
      "version: 1\neach: [{ codemod: { rule: no.yml } }]\n",
      /wrong\.yaml:2:27: .*no\.yml/,
    ],
    ["names a rule that does not compile", "version: 1\neach: [{ codemod: { rule: broken.yml } }]\n", /broken\.yml/],
    [
      "has a pattern with a syntax error",
      "version: 1\neach: [{ codemod: { pattern: 'foo(((', fix: x } }]\n",
      /wrong\.yaml:2:\d+: .*foo\(\(\(/,
    ],
    [
      "has a glob that is none",
      "version: 1\neach: [{ codemod: node-protocol }]\npermissions: { allow: ['Edit([)'] }\n",
      /wrong\.yaml:3:24/,
    ],
  ];

  it.each(cases)("is refused with 65 and its place when it %s", async (_, content, message) => {
    sheaf.write("broken.yml", "id: broken\nlanguage: JavaScript\nrule: { pattrn: x }\nfix: y\n");
    sheaf.write("wrong.yaml", content);
    expectRefusal(await sheaf.call(["validate", "wrong.yaml"]), 65, message);
  });

  it("is refused alike by run, which starts nothing, and when it is missing or a folder", async () => {
    sheaf.write("wrong.yaml", "version: 1\n");
    const called = await sheaf.call(["run", "wrong.yaml", "--repo", ground.user], { asProcess: true });
    expectRefusal(called, 65, /wrong\.yaml/);
    expectRefusal(await sheaf.call(["run", "missing.yaml", "--repo", ground.user]), 65, /missing\.yaml/);
    expectRefusal(await sheaf.call(["run", ".", "--repo", ground.user]), 65, /not a file/);
    sheaf.write("broken.yml", "id: broken\nlanguage: JavaScript\nrule: { pattern: 'foo(((' }\nfix: y\n");
    expectRefusal(await sheaf.call(["run", "--codemod", "broken.yml", "--repo", ground.user]), 65, /broken\.yml/);
  });
});

describe("a check that misbehaves", { timeout: patience }, () => {
  it("is ended at its timeout, and one that prints 100 MB is cut, with its end in the report", async () => {
    const job = {
      version: 1,
      each: [{ codemod: "node-protocol" }],
      checks: [
        {
          name: "loud",
          run: "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end; grep -q node:fs a.js && exit 1; true",
        },
        { name: "hangs", run: "echo started; sleep 3600 & wait", timeout: "500ms", expect: "pass" },
      ],
    };
    const { result } = await sheaf.job([sheaf.write("loud.yaml", JSON.stringify(job)), "--repo", ground.user]);
    expect(result).toMatchObject({ outcome: "failed", exit_code: 1, result_commit: null });
    expect(result.checks).toMatchObject([
      { name: "loud", state: "failed", exit: 1, tail: expect.stringMatching(/the end$/) },
      { name: "hangs", state: "failed", detail: expect.stringMatching(/no end after .* s, killed/), tail: "started" },
    ]);
    expect(JSON.stringify(result).length).toBeLessThan(100_000);
  });

  it("is not run at all, exit 78, where nothing contains it; as it is, with a warning, where the operator says so", async () => {
    await using bare = openSheaf({ settings: "sandbox: { mode: none }\n", inProcess: true });
    const refused = await bare.call(["run", ...codemod, ground.user, "--check", "touch /tmp/never"]);
    expectRefusal(refused, 78, /check "touch \/tmp\/never" needs a command[\s\S]*try: .*sandbox/);
    bare.write("home/sheaf.config.yaml", "sandbox: { mode: external }\n");
    const warned = await bare.call(["run", ...codemod, ground.user, "--check", "test ! -e /workspace"]);
    expect(warned).toMatchObject({ code: 0, stderr: expect.stringContaining("warning sandbox.mode is external") });
    bare.write("home/sheaf.config.yaml", "sandbox: { mod: external }\n");
    expectRefusal(await bare.call(["list"]), 78, /sheaf\.config\.yaml:1:12: .*"mod".*"mode"/);
    ground.write("sheaf.config.yaml", "sandbox: { mode: external }\n");
    const planted = [
      "--config",
      join(ground.user, "sheaf.config.yaml"),
      "run",
      ...codemod,
      ground.user,
      "--check",
      "x",
    ];
    expectRefusal(await bare.call(planted), 78, /repository/);
    rmSync(join(ground.user, "sheaf.config.yaml"));
  });
});
