import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSheaf, patience, type Sheaf } from "../support/sheaf.ts";
import { fastImport, type Playground, playground } from "../workspace/playground.ts";

/** The command line as people, pipes and programs meet it. */
let ground: Playground;
let sheaf: Sheaf;

beforeAll(() => {
  ground = playground();
  fastImport(
    ground,
    Array.from({ length: 60 }, (_, index) => ({
      path: `src/${index}.js`,
      content: Array.from({ length: 40 }, (_, line) => `const m${line} = require("fs"); // ${index}\n`).join(""),
    })),
  );
  ground.git("reset", "-q", "--hard");
  sheaf = openSheaf({ inProcess: true });
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

const codemod = () => ["--codemod", "node-protocol", "--repo", ground.user];
const verbs =
  "run plan explain validate init list status show logs diff apply approvals approve deny steer pause resume retry cancel token audit serve gc export import doctor".split(
    " ",
  );

describe("the command line", { timeout: patience }, () => {
  it("explains every verb, with an example that uses it, on stdout", async () => {
    const top = await sheaf.call(["--help"], { asProcess: true });
    const listed = [...top.stdout.matchAll(/^ {2}([a-z]+) (?:\[|<| *[A-Z])/gm)].map(([, verb]) => verb);
    expect(listed.filter((verb) => verb !== "help")).toEqual(verbs);
    const helps = await inPairs(verbs, (verb) => sheaf.call([verb, "--help"]));
    for (const [index, { code, stdout, stderr }] of helps.entries()) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(new RegExp(`Examples?:\\n {2}sheaf ${verbs[index]}\\b`));
    }
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
    expect(await sheaf.call(["--version"], { asProcess: true })).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  const mistakes: [string[], RegExp][] = [
    [["rnu"], /unknown command 'rnu'[\s\S]*run/],
    [["run", "--codemd", "x"], /unknown option '--codemd'[\s\S]*--codemod/],
    [["run"], /no sheaf\.yaml here[\s\S]*try: .*sheaf init/],
    [["run", "a.yaml", "-f", "b.yaml"], /a\.yaml.*b\.yaml|cannot be used together/],
    [["run", "a.yaml", "--codemod", "node-protocol"], /cannot be used together/],
    [["run", "--codemod", "node-protcol"], /node-protcol[\s\S]*did you mean node-protocol/],
    [["run", "--codemod", "node-protocol", "--output-format", "yaml"], /yaml[\s\S]*text, json/],
    [["run", "--codemod", "node-protocol", "--ok-on", "failed"], /failed[\s\S]*partial/],
    [["run", "--codemod", "node-protocol", "--timeout", "5"], /--timeout[\s\S]*40m/],
    [["run", "--codemod", "node-protocol", "--concurrency", "0"], /--concurrency/],
    [["run", "--codemod", "node-protocol", "--publish", "brunch"], /brunch[\s\S]*branch/],
    [["list", "-n", "many"], /many/],
    [["show", "--output-format", "yaml"], /yaml[\s\S]*text, json/],
    [["show", "last", "more"], /too many arguments/],
    [["show", "nothing-7"], /no job "nothing-7"[\s\S]*sheaf list/],
    [["validate"], /sheaf\.yaml/],
  ];

  it("says what is wrong with the words, and what was meant, with 64", async () => {
    const repo = (words: string[]) => (words.includes("--codemod") ? [...words, "--repo", ground.user] : words);
    const answers = await inPairs(mistakes, ([words]) => sheaf.call(repo(words)));
    for (const [index, { code, stdout, stderr }] of answers.entries()) {
      const [words, message] = mistakes[index] ?? [[], /^$/];
      expect({ words, code, stdout }).toEqual({ words, code: words[0] === "validate" ? 65 : 64, stdout: "" });
      expect(stderr).toMatch(message);
    }
  });

  it("leads from init to a result: only that on stdout, and every form for programs parses", async () => {
    const cwd = ground.user;
    expect(await sheaf.call(["init"], { cwd })).toMatchObject({
      code: 0,
      stdout: `wrote ${join(cwd, "sheaf.yaml")}\n`,
    });
    expect(await sheaf.call(["init"], { cwd })).toMatchObject({ code: 64, stdout: "" });
    expect(await sheaf.call(["validate"], { cwd })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("sheaf.yaml is valid"),
    });
    const plan = await sheaf.call(["plan"], { cwd });
    expect(plan.stdout).toMatch(/^sheaf: 3 tasks, 60 files, split by files/);
    expect(JSON.parse((await sheaf.call(["plan", "--output-format", "json"], { cwd })).stdout).tasks).toHaveLength(3);
    const run = await sheaf.call(["run"], { cwd });
    expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(/^SUCCEEDED {2}sheaf-1 /) });
    expect(run.stderr).toMatch(
      /^job {4}sheaf-1[\s\S]*^split {2}files: 3 tasks, 60 files$[\s\S]*^merge {2}3 tasks folded/m,
    );
    expect(run.stderr + run.stdout).not.toContain("\u001b");
    for (const words of [["list"], ["status"], ["show"], ["show", "--tree"], ["doctor"]]) {
      const { code, stdout, stderr } = await sheaf.call([...words, "--output-format", "json"]);
      expect({ words, code, stderr: stderr.replace(/^warning sandbox.*\n/, "") }).toEqual({
        words,
        code: 0,
        stderr: "",
      });
      expect(JSON.parse(stdout)).toBeTruthy();
    }
  });

  it("streams events as they are stored, the result last", async () => {
    const { code, stdout } = await sheaf.call(["run", ...codemod(), "--fresh", "--output-format", "stream-json"]);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(lines[0]).toMatchObject({ type: "job.created", run_id: expect.any(String) });
    expect(lines.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["job.planned", "run.started", "tool.intended", "merge.landed"]),
    );
    expect(lines.at(-1)).toMatchObject({ type: "result", result: { outcome: "succeeded" } });
  });

  it("does not mind a reader that goes away", async () => {
    const head = (count: number) => ["bash", "-c", `set -o pipefail; "$@" | head -c ${count}`, "bash"];
    for (const words of [
      ["logs", "--output-format", "json"],
      ["diff"],
      ["show", "--output-format", "json"],
      ["run", "--help"],
    ]) {
      const { code, stdout, stderr } = await sheaf.call(words, { through: head(20) });
      expect({ words, code, size: stdout.length, stderr: stderr.replace(/^warning sandbox.*\n/, "") }).toEqual({
        words,
        code: 0,
        size: 20,
        stderr: "",
      });
    }
  });

  it("draws a live table in colour on a terminal, plain lines with CI, and no colour with NO_COLOR", async () => {
    const quoted =
      'test "$(uname)" = Darwin && exec script -q /dev/null "$@"; exec script -qec "$(printf "%q " "$@")" /dev/null';
    const terminal = ["bash", "-c", quoted, "bash"];
    const live = await sheaf.call(["run", ...codemod()], { through: terminal, env: { TERM: "xterm" } });
    expect(live.stdout).toMatch(/\u001b\[\d+A\u001b\[0J/);
    expect(live.stdout).toContain("\u001b[32mSUCCEEDED");
    const plain = await sheaf.call(["run", ...codemod()], {
      through: terminal,
      env: { TERM: "xterm", CI: "1", NO_COLOR: "1" },
    });
    expect(plain.stdout).toMatch(/SUCCEEDED {2}node-protocol/);
    expect(plain.stdout).not.toContain("\u001b");
  });
});

/** Two at a time: as many as the machine has cores. */
async function inPairs<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let at = 0; at < items.length; at += 2) done.push(...(await Promise.all(items.slice(at, at + 2).map(work))));
  return done;
}
