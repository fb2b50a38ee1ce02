import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/main.ts";
import type { Session } from "../../src/cli/session.ts";
import { readConfig } from "../../src/config.ts";
import { result as resultSchema } from "../../src/protocol/result.ts";
import { openTestBench, plantRepository, type TestBench } from "../support/equipment.ts";

const both = `
- calls:
    - tool: plan
      input:
        summary: two parts
        tasks:
          - { id: one, title: First, goal: write a, writes: [a.txt] }
          - { id: two, title: Second, goal: write b, writes: [b.txt] }
    - { tool: write, input: { file_path: a.txt, content: done } }
    - { tool: write, input: { file_path: b.txt, content: done } }
- say: over
`;

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
  plantRepository(join(bench.folder, "repo"), { "a.txt": "a\n", "b.txt": "b\n" });
  writeFileSync(join(bench.folder, "both.yaml"), both);
});
afterAll(() => bench[Symbol.asyncDispose]());

/** One command line at a terminal, where somebody types these answers as they are asked for. */
async function typing(answers: { shift(): string | undefined }, words: readonly string[]) {
  const [printed, told]: [string[], string[]] = [[], []];
  const session: Session = {
    coordinator: bench.coordinator,
    audit: async () => ({ calls: [] }),
    reach: "own",
    async [Symbol.asyncDispose]() {},
  };
  const { folder, equipment } = bench;
  const code = await runCommandLine(words, {
    config: readConfig({ HOME: folder, SHEAF_HOME: equipment.home, PATH: process.env.PATH }),
    terminal: {
      print: (line) => void printed.push(line),
      write: async () => {},
      tell: (line) => void told.push(line),
      isLive: true,
      columns: 100,
      draw: (text) => void told.push(text),
      style: (_, text) => text,
      keyboard: {
        listen(hear) {
          queueMicrotask(() => hear(answers.shift()));
          return () => {};
        },
      },
    },
    git: equipment.git,
    version: "0",
    now: Date.now,
    cwd: folder,
    open: async () => session,
    listen: () => Promise.reject(new Error("no command here serves")),
    readInput: async () => "write both files\n",
    onSignal: () => () => {},
  });
  return { code, printed: printed.join("\n"), told: told.join("\n") };
}

/** Each task tries the other's file too, which nobody is to be asked about. */
const denying = ["--permission-mode", "deny", "--output-format", "json"];
const words = ["run", "-p", "-", "--model", "scripted/both.yaml", "--repo", "repo", ...denying];

it("shows the plan of a prompt and does nothing of it when whoever sits there leaves it", async () => {
  const { code, printed, told } = await typing(["q"], words);
  expect(code).toBe(0);
  expect(told).toMatch(/plan {3}two parts[\s\S]*forecast[\s\S]*planning[\s\S]*\[r\]un, \[s\]ample 3 first, \[q\]uit/);
  const result = resultSchema.parse(JSON.parse(printed));
  expect(result).toMatchObject({ outcome: "succeeded", result_commit: null, tasks: [] });
});

it("runs a sample of it first, and then exactly the plan that was shown", async () => {
  const { code, printed, told } = await typing(["s", "r"], words);
  expect(code).toBe(0);
  expect(told.match(/split {2}planner: 2 tasks/g)).toHaveLength(3);
  const result = resultSchema.parse(JSON.parse(printed));
  expect(result.tasks.map(({ id, landed }) => [id, landed])).toEqual([
    ["one", true],
    ["two", true],
  ]);
});

it("runs it where it was planned, with what was not committed then, whatever was changed meanwhile", async () => {
  const repo = join(bench.folder, "repo");
  writeFileSync(join(repo, "b.txt"), "dirty\n");
  const answers = {
    shift() {
      writeFileSync(join(repo, "a.txt"), "changed while somebody read the plan\n");
      return "r";
    },
  };
  const { code, printed, told } = await typing(answers, [...words, "--include-dirty", "--max-tokens", "100000"]);
  execFileSync("git", ["checkout", "-q", "."], { cwd: repo });
  expect(told).not.toContain("the plan is for the commit");
  expect(code).toBe(0);
  const { base_commit } = resultSchema.parse(JSON.parse(printed));
  const [planned] = told.match(/base HEAD at [0-9a-f]{12}/) ?? [];
  expect(planned).toBe(`base HEAD at ${base_commit.slice(0, 12)}`);
  // What is shown once is not told a second time, and nobody is said to wait.
  expect(told.match(/plan {3}two parts/g)).toHaveLength(2);
});

it("asks nothing with --yes, and is one job whose usage holds its planning", async () => {
  const { printed } = await typing([], [...words, "--yes"]);
  const result = resultSchema.parse(JSON.parse(printed));
  expect(result.plan?.usage?.turns).toBe(1);
  expect(result.tasks).toHaveLength(2);
});
