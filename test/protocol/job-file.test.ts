import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDocument } from "../../src/document/read-document.ts";
import { durationMs } from "../../src/protocol/duration.ts";
import { Fault } from "../../src/protocol/failure.ts";
import { type JobFile, jobFile } from "../../src/protocol/job-file.ts";

const read = (text: string): JobFile => readDocument(text, { file: "x.yaml", schema: jobFile, code: "job_file" }).value;

/** The message of the refusal of a job with these lines after the version and a step. */
function refusal(rest: string, head = "version: 1\neach: [{ codemod: node-protocol }]\n"): string[] {
  try {
    read(head + rest);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown.message.split("\n");
    throw thrown;
  }
  throw new Error(`accepted: ${rest}`);
}

describe("a job file", () => {
  it("may use everything that is built", () => {
    const text = `
version: 1
name: all-of-it
model: scripted/a.yaml
agents: { fixer: { model: scripted/b.yaml, prompt: Be careful., allow: [Read, "Edit(src/**)"] } }
split: { by: list, items: [src, "**/*.ts"], tasks: 4 }
each:
  - codemod: node-protocol
  - codemod: { rule: rules/a.yml }
  - codemod: { pattern: "a($A)", fix: "", language: ts }
  - { prompt: Do it., agent: fixer }
checks: [npm test, { name: types, run: tsc -b, at: tree, expect: fixed, timeout: 1h30m, parse: exit }]
permissions: { allow: ["Edit(docs/**)"], deny: ["Read(.env*)"] }
land: together
publish: { branch: bot/fix }
limits: { concurrency: 2, time: 40m, idle: 90s }
x-mine: anything`;
    const file = read(text);
    expect(file.checks?.[1]).toMatchObject({ timeout: 5_400_000 });
    expect(file.limits).toEqual({ concurrency: 2, time: 2_400_000, idle: 90_000 });
    expect(file).not.toHaveProperty("x-mine");
  });

  it("reads durations with units only", () => {
    expect(["90s", "40m", "1h30m", "500ms", "1m1ms", "480h"].map(durationMs)).toEqual(
      [90_000, 2_400_000, 5_400_000, 500, 60_001, 1_728_000_000].map((ms) => ({ ms })),
    );
    for (const bad of ["", "40", "m", "1.5h", "-1s", "1s1m", "5 minutes", "0s", "481h", "9".repeat(40)]) {
      expect(durationMs(bad), bad).toHaveProperty("reason");
    }
  });
});

const notBuilt: readonly (readonly [line: string, place: string, what: string])[] = [
  ["prompt: Rename it.", "3:1", "prompt"],
  ["inputs: {}", "3:1", "inputs"],
  ["setup: npm ci", "3:1", "setup"],
  ["setup:", "3:1", "setup"],
  ["before: []", "3:1", "before"],
  ["after: []", "3:1", "after"],
  ["merge: { onConflict: agent }", "3:1", "merge"],
  ["capture: metadata", "3:1", "capture"],
  ["triggers: []", "3:1", "triggers"],
  ["model: sonnet", "3:8", "sonnet"],
  ["model: replay/job-7", "3:8", "replay/job-7"],
  ["agents: { a: { use: a.md } }", "3:16", "use"],
  ["agents: { a: { limits: {} } }", "3:16", "limits"],
  ...["workspace", "findings", "owner", "planner"].flatMap((by) => [
    [`split: ${by}`, "3:8", by] as const,
    [`split: { by: ${by} }`, "3:14", by] as const,
  ]),
  ["split: { by: files, match: moment }", "3:21", "match"],
  ["checks: [{ run: a, at: task }]", "3:24", "task"],
  ...["junit", "tap", "sarif"].map((parse) => [`checks: [{ run: a, parse: ${parse} }]`, "3:27", parse] as const),
  ["checks: [{ run: a, retries: 2 }]", "3:20", "retries"],
  ["checks: [{ absent: moment }]", "3:12", "absent"],
  ["permissions: { mode: ask }", "3:16", "mode"],
  ["permissions: { ask: [] }", "3:16", "ask"],
  ["permissions: { grant: [] }", "3:16", "grant"],
  ...["existing: update", "onBaseMoved: fail", "groupBy: owner"].map(
    (key) => [`publish: { branch: a, ${key} }`, "3:23", key.split(":")[0] ?? ""] as const,
  ),
  ...["usd", "tokens", "turns", "depth"].map((key) => [`limits: { ${key}: 3 }`, "3:11", key] as const),
];

/** Begins a template. Written in two parts so that it is not taken for one of ours. */
const opening = ["$", "{{"].join("");

describe("what is designed and not built", () => {
  it.each(notBuilt)("as in %j is refused at %s with those words", (line, place, what) => {
    const lines = refusal(line);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(`x.yaml:${place}: "${what}" is not built yet: `);
  });

  it.each(["run: npm x", "mayFail: true", "writes: [a]", "network: []", "allow: [Read]"])(
    "as the step key %s is refused too",
    (key) => {
      expect(refusal(`each: [{ prompt: a, ${key} }]`, "version: 1\n")).toEqual([
        expect.stringMatching(`^x.yaml:2:21: "${key.split(":")[0]}" is not built yet: `),
      ]);
    },
  );

  it("as a need between tasks or a template is refused too", () => {
    expect(refusal("tasks: [{ id: b, needs: [a], writes: [b], steps: [{ prompt: x }] }]", "version: 1\n")[0]).toMatch(
      '2:18: "needs" is not built yet',
    );
    expect(refusal(`each: [{ prompt: 'Fix ${opening} item.path }}' }]`, "version: 1\n")[0]).toMatch(
      `2:18: "${opening} }}" is not built yet`,
    );
  });
});

const refused: readonly (readonly [line: string, message: string])[] = [
  ["chekcs: [a]", '3:1: unknown key "chekcs"; did you mean "checks"?'],
  ["split: list", '3:8: "list" needs its items; write split: { by: list, items: [src, test] }'],
  ["split: { by: list }", '3:8: "items" is missing; write the files, directories or globs to split by'],
  ["split: { by: files, items: [a] }", '3:8: "items" belongs to by: list; write by: list, or leave it out'],
  ["split: { by: list, items: [../a] }", '3:28: a path cannot hold ".."; write it relative to the repository root'],
  ["split: { by: list, items: [/] }", "3:28: a path is relative to the repository root; leave out the part above it"],
  ["limits: { time: 40 }", "3:17: the number 40 has no unit; write it with a unit, such as 90s, 40m or 1h30m"],
  ["limits: { time: soon }", '3:17: "soon" is no duration; write it with a unit, such as 90s, 40m or 1h30m'],
  ["limits: { concurrency: 0 }", "3:24: expected at least 1, found the number 0"],
  ["publish: branch", '3:10: "branch" needs a name; write publish: { branch: sheaf/NAME }'],
  [
    "publish: { branch: 'a b' }",
    '3:20: "a b" is no branch name; write one such as sheaf/node-protocol, without refs/heads/',
  ],
  ["publish: { branch: a, patch: b }", "3:10: publish needs exactly one of branch and patch; write one of them"],
  ["checks: [{ name: a }]", '3:10: "run" is missing; add it: a text'],
  ["checks: ['']", "3:10: the text is empty; write something, or remove it"],
  [
    "model: recipe/nope",
    '3:8: "recipe/nope" is no recipe that ships; write recipe/node-protocol, or use a codemod step',
  ],
  ["name: a b", '3:7: "a b" is no name; use at most 64 letters, digits and single . _ - between them'],
  [
    "tasks: [{ id: a, writes: [b], steps: [{ prompt: x }] }]",
    "3:8: each and tasks cannot both be there; write one of them",
  ],
];

describe("what a job file cannot mean", () => {
  it.each(refused)("as in %j is refused with what to write", (line, message) => {
    expect(refusal(line)).toEqual([`x.yaml:${message}`]);
  });

  it.each([
    ["{}", "2:8: the step does nothing; write a codemod or a prompt"],
    ["{ promt: a }", '2:10: unknown key "promt"; did you mean "prompt"?'],
    ["{ prompt: a, codemod: node-protocol }", "2:8: a step is a codemod or a prompt, not both; write two steps"],
    ["{ codemod: node-protocol, agent: a }", "2:8: a codemod needs no agent; leave out the agent, or write a prompt"],
    [
      "{ codemod: node-protocl }",
      '2:19: expected "node-protocol", or a mapping (rule, pattern, fix, language), found the text "node-protocl"; did you mean "node-protocol"?',
    ],
    [
      "{ codemod: replace-call }",
      "2:19: \"replace-call\" needs its pattern and fix; write codemod: { pattern: 'old($A)', fix: 'new($A)' }",
    ],
    ["{ codemod: { pattern: a } }", '2:19: "fix" is missing; write what to put in the place of the pattern'],
    ["{ codemod: { rule: a, fix: b } }", "2:19: a rule file says its own pattern, fix and language; leave those out"],
  ])("as the step %s is refused with what to write", (step, message) => {
    expect(refusal(`each: [${step}]`, "version: 1\n")).toEqual([`x.yaml:${message}`]);
  });

  it("as a job without steps, tasks without files, or two tasks of one id is refused", () => {
    expect(refusal("", "version: 1\n")).toEqual([
      'x.yaml:1:1: the job does nothing; write "each" (steps for every part) or "tasks"',
    ]);
    expect(refusal("tasks: [{ id: a, steps: [{ prompt: x }] }]", "version: 1\n")).toEqual([
      'x.yaml:2:9: the task has no files; write "items" or "writes"',
    ]);
    const twins =
      "tasks:\n  - { id: a, writes: [a], steps: [{ prompt: x }] }\n  - { id: A, writes: [b], steps: [{ prompt: x }] }";
    expect(refusal(twins, "version: 1\n")).toEqual([
      "x.yaml:4:11: a task before this one has the same id (case does not count); give each its own",
    ]);
  });
});

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const line = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text.trim() !== "" && !text.includes(opening));
const step = fc.oneof(
  fc.record({ codemod: fc.constant("node-protocol") }),
  fc.record({ codemod: fc.record({ pattern: line, fix: fc.string(), language: fc.constantFrom("JavaScript", "ts") }) }),
  fc.record({ codemod: fc.record({ rule: line }) }),
  fc.record({ prompt: line, agent: name }, { requiredKeys: ["prompt"] }),
);
const optional = { requiredKeys: ["version", "each"] as ["version", "each"] };
const valid = fc.record(
  {
    version: fc.constant(1),
    name,
    model: fc.constantFrom("recipe/node-protocol", "scripted/x.yaml"),
    agents: fc.dictionary(
      name,
      fc.record({ prompt: line, allow: fc.array(line, { maxLength: 2 }) }, { requiredKeys: [] }),
      { maxKeys: 3 },
    ),
    split: fc.oneof(
      fc.constantFrom("none", "files", "directory"),
      fc.record({ by: fc.constant("files"), files: fc.integer({ min: 1, max: 99 }) }),
    ),
    each: fc.array(step, { minLength: 1, maxLength: 3 }),
    checks: fc.array(fc.oneof(line, fc.record({ run: line, timeout: fc.constant("5m") })), { maxLength: 3 }),
    land: fc.constantFrom("green", "together"),
    publish: fc.oneof(fc.constantFrom("none", "patch"), fc.record({ branch: name })),
    limits: fc.record({ concurrency: fc.integer({ min: 1, max: 99 }), idle: fc.constant("9s") }, { requiredKeys: [] }),
    "x-notes": fc.jsonValue(),
  },
  optional,
);

describe("job files in general", () => {
  it("survive when they are valid", () => {
    fc.assert(
      fc.property(valid, (job) => {
        const { "x-notes": _, ...kept } = job;
        expect(Object.keys(read(JSON.stringify(job))).sort()).toEqual(Object.keys(kept).sort());
      }),
      { numRuns: 150 },
    );
  });

  it("are refused with a place, and never anything else, when something in them is replaced", () => {
    const anything = fc.oneof(
      fc.constantFrom<unknown>(null, "", 0, -1, 1.5, true, [], {}, [[]], { a: {} }, "list", "scripted/"),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        valid,
        fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
        anything,
        fc.boolean(),
        (job, walk, value, isKey) => {
          const mutated = structuredClone(job) as Record<string, unknown>;
          mutate(mutated, walk, value, isKey);
          try {
            read(JSON.stringify(mutated, null, 1));
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(Fault);
            for (const text of (thrown as Fault).message.split("\n").slice(0, 20))
              expect(text).toMatch(/^x\.yaml:\d+:\d+: \S/);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Replaces one value or misspells one key, somewhere along the walk. */
function mutate(inside: Record<string, unknown>, walk: readonly number[], value: unknown, isKey: boolean): void {
  const [first = 0, ...rest] = walk;
  const keys = Object.keys(inside);
  const key = keys[first % Math.max(1, keys.length)];
  if (key === undefined) return;
  const next = inside[key];
  if (rest.length > 0 && typeof next === "object" && next !== null && Object.keys(next).length > 0) {
    mutate(next as Record<string, unknown>, rest, value, isKey);
    return;
  }
  if (isKey && !Array.isArray(inside)) {
    inside[`${key}s`] = next;
    delete inside[key];
    return;
  }
  inside[key] = value;
}
