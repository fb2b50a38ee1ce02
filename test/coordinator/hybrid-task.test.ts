import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { earlierSteps, endOfOutput, tellEarlier } from "../../src/coordinator/brief/earlier-steps.ts";
import type { FinishedRun } from "../../src/coordinator/tasks/step-order.ts";
import type { Leftover } from "../../src/protocol/claim.ts";
import { noUsage } from "../../src/protocol/message.ts";
import type { Step } from "../../src/protocol/step.ts";
import { runJobOn, shown } from "../support/bench-job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const files = {
  "src/a.js": 'const fs = require("fs");\nconst any = require(name());\nmodule.exports = { fs, any };\n',
  "src/lint.sh": 'echo "src/a.js:2: dynamic require"; exit 3\n',
};

const steps: Step[] = [
  {
    kind: "agent",
    agent: {
      name: "node-protocol",
      instructions: "",
      model: { provider: "recipe", recipe: { name: "node-protocol" } },
    },
    prompt: "",
  },
  { kind: "command", run: ["sh", "src/lint.sh"], may_fail: true, timeout_ms: 20_000 },
  {
    kind: "agent",
    agent: {
      name: "fixer",
      instructions: "",
      model: {
        provider: "scripted",
        file: "s.yaml",
        turns: [
          {
            calls: [{ tool: "edit", input: { file_path: "src/a.js", old_string: "name()", new_string: '"node:os"' } }],
          },
          { calls: [{ tool: "submit", input: { summary: "Named it." } }] },
        ],
      },
    },
    prompt: "Mend what is left.",
  },
  { kind: "command", run: "cp src/a.js src/after.js", may_fail: false, timeout_ms: 20_000 },
];

describe("a task of codemods, commands and prompts", () => {
  it("tells the agent what the steps before it left over and why, and each sees the others' work", async () => {
    const tasks = [{ id: "src", writes: [{ directories: ["src"] }], steps }];
    const { result, events, repository } = await runJobOn(bench, files, { tasks });
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ state: "succeeded" }] });
    const prompts = events.flatMap((event) =>
      event.type === "turn.started" && event.data.opening ? [event.data.opening.prompt] : [],
    );
    expect(prompts).toHaveLength(1);
    expect(prompts[0]).toMatch(/^- src\/a\.js:2:\d+ .*require.*: .+$/m);
    expect(prompts[0]).toContain("ran `sh src/lint.sh`, which ended with exit 3. The end of what it printed:\n[begin ");
    expect(prompts[0]).toContain("src/a.js:2: dynamic require");
    expect(shown(repository, result)("src/after.js")).toBe(
      'const fs = require("node:fs");\nconst any = require("node:os");\nmodule.exports = { fs, any };\n',
    );
  });
});

const place: Leftover = { path: "a.js", line: 1, column: 1, text: "x", reason: "because" };
const finished = (more: Partial<FinishedRun>, submission?: FinishedRun["report"]["submission"]): FinishedRun => ({
  report: { state: "succeeded", turns: 1, usage: noUsage, ...(submission ? { submission } : {}) },
  denials: [],
  hasThreadDied: false,
  ...more,
});

describe("what earlier steps leave", () => {
  it("is bounded, with the count of all, and says what was declined", () => {
    const many = Array.from({ length: 1_500 }, () => place);
    const left = earlierSteps([finished({}, { summary: "", leftovers: many, refused: "no grammar" })]);
    expect([left.leftovers.length, left.leftoverCount]).toEqual([1_000, 1_500]);
    expect(tellEarlier(left)).toBe(
      "Earlier steps of this task left 1500 places alone in all.\n\nAn earlier step of this task declined its work: no grammar",
    );
    expect(tellEarlier(earlierSteps([finished({}, { summary: "", leftovers: [place] })]))).toBe("");
    const failed = { text: "make", ending: "exit 2", output: "" };
    expect(tellEarlier(earlierSteps([finished({ failed })]))).toBe(
      "An earlier step of this task ran `make`, which ended with exit 2 and printed nothing.",
    );
  });

  it("of an output is its end, and says that it is not the whole", () => {
    expect(endOfOutput("one\ntwo\n")).toBe("one\ntwo");
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index}`);
    expect(endOfOutput(lines.join("\n")).split("\n").slice(0, 2)).toEqual(["[of 500 lines, the last]", "line 380"]);
    expect(endOfOutput("x".repeat(20_000))).toHaveLength("[of 1 lines, the last]\n".length + 8_000);
  });
});
