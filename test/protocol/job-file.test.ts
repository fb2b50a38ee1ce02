import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDocument } from "../../src/document/read-document.ts";
import { durationMs } from "../../src/protocol/duration.ts";
import { Fault } from "../../src/protocol/failure.ts";
import { type JobFile, jobFile } from "../../src/protocol/job-file.ts";
import { jobs } from "./job-files.ts";

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

/** Begins a template. Written in two parts so that it is not taken for one of ours. */
const opening = ["$", "{{"].join("");

describe("a job file", () => {
  it("may use everything that is built", () => {
    const text = `
version: 1
name: all-of-it
inputs:
  short: moment
  dry-run: true
  count: 3
  title: { description: What it is about., untrusted: true }
  way: { type: choice, options: [fast, safe], default: safe }
prompt: Away with OPEN inputs.short }}.
model: bedrock/us.anthropic.claude-sonnet-x-v1:0
agents:
  fixer: { model: scripted/b.yaml, prompt: Be careful., allow: [Read, "Edit(src/**)"], tools: [Read, Edit] }
  judge: { use: .claude/agents/judge.md, description: Looks again., limits: { usd: 0.5, tokens: 1000, turns: 9, time: 2m } }
servers:
  docs: { run: [node, docs.js], network: [registry], secrets: [DOCS] }
  web: { url: "https://example.com/mcp", headers: { Authorization: { secret: WEB_TOKEN } } }
setup: { run: npm ci, timeout: 10m }
split: { by: list, items: [src, "**/*.ts"], tasks: 4, match: { glob: "*.ts", regex: '\\bvar\\b', pattern: "var $A", language: ts } }
before: [{ run: npm install dayjs, writes: [package.json, package-lock.json] }]
each:
  - codemod: no-var
  - codemod: { rule: rules/a.yml }
  - codemod: { pattern: "a($A)", fix: "", language: py }
  - codemod: { rename-symbol: { symbol: User.get, to: fetch, file: "src/[id]/a.ts", tsconfig: tsconfig.json } }
  - codemod: { move-file: { from: a.ts, to: b.ts } }
  - { prompt: "Do it in OPEN item.path }}.", agent: fixer, writes: ["*.ts"] }
  - { run: [npx, eslint, --fix, "OPEN task.files }}"], mayFail: true, timeout: 5m }
after: [{ prompt: Tidy up. }]
checks:
  - npm test
  - { name: types, run: tsc -b, at: task, expect: fixed, timeout: 1h30m, parse: junit, report: out/r.xml, retries: 2 }
  - { absent: '["]OPEN regex(inputs.short) }}["]', in: "src/**", at: tree }
permissions: { allow: ["Edit(docs/**)"], deny: ["Read(.env*)"] }
format: false
land: together
publish: { branch: "bot/OPEN inputs.short }}", existing: update, onBaseMoved: recheck, groupBy: task }
limits: { concurrency: 2, time: 40m, idle: 90s, usd: 2.5, tokens: 1000000, turns: 12, depth: 2, agents: 3, task: { usd: 1, tokens: 5 } }
x-mine: anything`.replaceAll("OPEN", opening);
    const file = read(text);
    expect(file.checks?.[1]).toMatchObject({ timeout: 5_400_000 });
    expect(file.limits).toMatchObject({ concurrency: 2, time: 2_400_000, idle: 90_000, usd: 2.5, task: { tokens: 5 } });
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
  ["merge: { onConflict: agent }", "3:1", "merge"],
  ["capture: metadata", "3:1", "capture"],
  ["triggers: []", "3:1", "triggers"],
];

describe("what is designed and not built", () => {
  it.each(notBuilt)("as in %j is refused at %s with those words", (line, place, what) => {
    const lines = refusal(line);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(`x.yaml:${place}: "${what}" is not built yet: `);
  });
});

const refused: readonly (readonly [line: string, message: string])[] = [
  ["model: scripted/", '3:8: "scripted/" names no file; write scripted/FILE, relative to the job file'],
  ["model: replay/", '3:8: "replay/" names no job; write replay/JOB, or replay/FILE.json, relative to the job file'],
  ["model: bedrock", '3:8: "bedrock" names no model; write bedrock/ID, by the id that Bedrock knows'],
  ["model: vertex/opus", '3:8: "vertex/opus": there "opus" stands for no model; write the id that Vertex knows'],
  ["model: claude sonnet", '3:8: "claude sonnet" is no name of a model: it holds a space or a control character'],
  ["model: inherit", '3:8: "inherit" is for agent files; leave the model out to use the job\'s'],
  ["split: planner", '3:8: a planner needs a goal; write prompt: "what the whole job is for"'],
  ["prompt: x\nsplit: planner", "4:8: a planner writes what each task is asked; leave out each, or split otherwise"],
  [
    "prompt: x\nsplit: { by: planner, files: 3 }",
    '4:8: "files" does not apply to by: planner; it says what each task edits',
  ],
  ["limits: { usd: -1 }", "3:16: expected at least 0, found the number -1"],
  ["limits: { depth: 3 }", "3:18: expected at most 2, found the number 3"],
  ["limits: { turns: 0 }", "3:18: expected at least 1, found the number 0"],
  ["limits: { task: { turns: 3 } }", '3:19: unknown key "turns"; the keys here are usd, tokens'],
  ["agents: { a: { use: a.md, tools: [Read] } }", "3:34: use brings its own tools; leave this out"],
  [
    "agents: { a: { tools: [Bash(ls)] } }",
    '3:24: "Bash(ls)" is no name of a tool; write Read, and rules such as Read(src/**) under allow',
  ],
  ["servers: { a: {} }", "3:15: the server says nothing; write run: [COMMAND, ...] or url: ADDRESS"],
  ["servers: { a: { run: [x], url: 'http://a' } }", "3:15: a server is one of run and url; write one of them"],
  ["servers: { a: { run: [x], headers: {} } }", "3:36: headers belongs to url; leave it out"],
  [
    "servers: { a: { url: 'http://a', secrets: [A] } }",
    "3:43: secrets belongs to run; write headers: { Authorization: { secret: NAME } }",
  ],
  ["servers: { a: { url: ftp://a } }", '3:22: "ftp://a" is no address; write one such as https://example.com/mcp'],
  [
    "servers: { a: { url: 'https://me:pw@a/' } }",
    "3:22: an address with a password in it would be in every log; write headers: { Authorization: { secret: NAME } }",
  ],
  [
    "servers: { a: { url: 'http://a', headers: { Authorization: Bearer x } } }",
    "3:60: a value written here would be in every log; write { secret: NAME }",
  ],
  [
    "servers: { a: { url: 'http://a', headers: { Host: { secret: A } } } }",
    '3:45: the header "Host" is the client\'s own; leave it out',
  ],
  [
    "servers: { a__b: { run: [x] } }",
    '3:12: "a__b" is no name of a server; use letters, digits and single _ or - between them',
  ],
  ["permissions: { mode: never }", '3:22: expected "ask" or "deny" or "plan", found the text "never"'],
  ["permissions: { allow: [{ match: [a] }] }", '3:24: "rule" is missing; add it: a text'],
  ["permissions: { allow: [{ rule: Read, nomatch: [a] }] }", '3:38: unknown key "nomatch"; did you mean "match"?'],
  ["agents: { a: { use: a.md, prompt: x } }", "3:35: use brings its own prompt; leave this out"],
  [
    "agents: { a: { use: a.md, allow: [Read] } }",
    "3:34: use says in its tools what it may do; write allow at the step",
  ],
  ["agents: { a: { use: ../a.md } }", '3:21: a path cannot hold ".."; write it relative to the repository root'],
  [
    "setup: { run: a, network: [https://example.com/x] }",
    '3:28: "https://example.com/x": this is no host but an address of a page; write api.example.com, *.example.com or api.example.com:8443',
  ],
  ["setup: { run: a, network: [10.0.0.1] }", '3:28: "10.0.0.1": this is an address; write the name of the host'],
  ["setup: { run: a, network: ['a.com:0'] }", '3:28: "a.com:0": 0 is no port; write one from 1 to 65535'],
  [
    "setup: { run: a, network: [münchen.de] }",
    '3:28: "münchen.de": write this host in letters of ASCII: xn--mnchen-3ya.de',
  ],
  [
    "setup: { run: a, secrets: [my-token] }",
    '3:28: "my-token" is no name of a secret; write the variable, such as NPM_TOKEN',
  ],
  [
    "before: [{ codemod: no-var, network: [registry] }]",
    "3:10: network belongs to a run or a prompt; a codemod runs no command",
  ],
  [
    "checks: [{ absent: a, secrets: [A] }]",
    "3:32: secrets belongs to a command, and absent needs none; write two checks, or leave it out",
  ],
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
  ["checks: [{ name: a }]", '3:10: "run" is missing; write run: COMMAND, or absent: REGEX'],
  [
    "checks: [{ run: a, absent: b }]",
    "3:17: run belongs to a command, and absent needs none; write two checks, or leave it out",
  ],
  [
    "checks: [{ absent: b, retries: 1 }]",
    "3:32: retries belongs to a command, and absent needs none; write two checks, or leave it out",
  ],
  ["checks: [{ run: a, in: src }]", "3:24: in belongs to absent; leave it out"],
  [
    "checks: [{ run: a, report: r.xml }]",
    "3:28: a report is read by its format; write parse: junit, tap, sarif, vitest, jest or eslint",
  ],
  [
    "checks: [{ run: a, parse: junit, report: /tmp/r.xml }]",
    "3:42: a file is named from the repository root; leave out the / before it",
  ],
  ["checks: [{ run: a, retries: 11 }]", "3:29: expected at most 10, found the number 11"],
  [
    "checks: [{ absent: 'a(' }]",
    "3:20: not a regular expression of JavaScript (flags mu): Unterminated group; escape with \\ what stands for itself",
  ],
  [
    `checks: [{ run: 'grep ${opening} inputs.a }}' }]`,
    `3:17: "${opening} }}" is not read in a shell command; use "$SHEAF_ITEM_PATH", "$SHEAF_TASK_FILES" or "$SHEAF_INPUT_NAME", or write a step's run as a list of words`,
  ],
  [
    "setup:",
    "3:7: expected a text, or a mapping (run, timeout, network, secrets), found nothing; write a value after the colon, or remove the key",
  ],
  ["setup: { timeout: 5m }", '3:8: "run" is missing; add it: a text'],
  ["before: []", "3:9: expected at least 1 item, found 0"],
  ["split: match", '3:8: "match" needs what to look for; write split: { by: match, match: REGEX }'],
  ["split: findings", '3:8: "findings" needs a check; write split: { by: findings, of: NAME OF A CHECK }'],
  ["split: { by: findings }", '3:8: "of" is missing; write the name of the check whose findings become tasks'],
  ["split: { by: files, of: lint }", '3:8: "of" belongs to by: findings; write by: findings, or leave it out'],
  [
    "split: { by: match, files: 2 }",
    '3:8: "match" is missing; write what to look for: match: REGEX, or match: { glob: GLOB }',
  ],
  [
    "split: { files: 2 }",
    '3:8: "by" is missing; write by: files, directory, workspace, owner, match, findings, list, planner or none',
  ],
  ["split: { by: files, match: {} }", "3:28: the match says nothing; write glob, regex or pattern"],
  [
    "split: { by: files, match: { glob: a, language: go } }",
    "3:28: language belongs to a pattern; write one, or leave it out",
  ],
  ["split: { by: files, match: { golb: a } }", '3:30: unknown key "golb"; did you mean "glob"?'],
  [
    "split: { by: workspce }",
    '3:14: expected "none" or "files" or "directory" or "workspace" or "owner" or "match" or "findings" or "list" or "planner", found the text "workspce"; did you mean "workspace"?',
  ],
  [
    "inputs: { a b: 1 }",
    '3:11: "a b" is no name of an input; use at most 64 letters, digits, _ and -, the first a letter',
  ],
  [
    "inputs: { a-b: 1, A_B: 2 }",
    "3:24: A_B and a-b would both be $SHEAF_INPUT_A_B to a command; give one another name",
  ],
  ["inputs: { a: { type: choice } }", '3:14: "options" is missing; write the values to choose from: options: [a, b]'],
  [
    "inputs: { a: { type: choice, options: [b], default: c } }",
    "3:53: the default is none of the options; write one of them",
  ],
  ["inputs: { a: { options: [b] } }", "3:25: options belong to type: choice; write that, or leave them out"],
  ["inputs: { a: { type: number, default: '3' } }", "3:39: the default is no number; write one without quotes"],
  [
    "inputs: { a: { type: boolean, default: 3 } }",
    "3:40: the default is neither true nor false; write one of them without quotes",
  ],
  ["inputs: { a: { typ: string } }", '3:16: unknown key "typ"; did you mean "type"?'],
  [
    "inputs: { a: }",
    "3:14: expected a text, or a number, or true or false, or a mapping (type, description, default, options, untrusted), found nothing; write a value after the colon, or remove the key",
  ],
  ["publish: { patch: a, existing: skip }", "3:32: existing belongs to branch; leave it out"],
  ["publish: { branch: a, groupBy: owner }", '3:32: expected "job" or "task", found the text "owner"'],
  ["publish: { existing: skip }", "3:10: publish needs exactly one of branch and patch; write one of them"],
  ["checks: ['']", "3:10: the text is empty; write something, or remove it"],
  [
    "model: recipe/nope",
    '3:8: "recipe/nope" is no recipe that ships; write recipe/node-protocol, recipe/no-var, recipe/import-type, recipe/require-to-import, or use a codemod step',
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
    ["{}", "2:8: the step does nothing; write a codemod, a prompt or a run"],
    ["{ agent: a }", "2:8: the step asks for nothing; write a codemod, a prompt or a run"],
    ["{ prompt: a, mayFail: true }", "2:8: mayFail belongs to run; leave it out"],
    ["{ run: a, agent: b }", "2:8: a run needs no agent; leave out the agent, or write a prompt"],
    ["{ run: [] }", "2:15: expected at least 1 item, found 0"],
    ["{ run: ['', a] }", "2:16: the first word is the program; write its name"],
    [
      `{ run: ['${opening} inputs.a }}'] }`,
      "2:16: the program cannot be filled in; write its name, and templates after it",
    ],
    [
      `{ run: [env, bash, -ec, 'rm ${opening} item.path }}'] }`,
      '2:32: this word is source code to "bash"; pass the value as a word after it, or use the environment',
    ],
    [
      `{ run: [/usr/bin/node, --eval, '${opening} item.path }}'] }`,
      '2:39: this word is source code to "node"; pass the value as a word after it, or use the environment',
    ],
    [
      `{ run: 'a ${opening} item.path }}' }`,
      `2:15: "${opening} }}" is not read in a shell command; use "$SHEAF_ITEM_PATH", "$SHEAF_TASK_FILES" or "$SHEAF_INPUT_NAME", or write a step's run as a list of words`,
    ],
    [
      `{ prompt: 'a ${opening} item.pth }}' }`,
      `2:18: "${opening} item.pth }}": there is no "item.pth"; write item.path or item.name or item.owner`,
    ],
    ["{ run: a, timeout: 5 }", "2:27: the number 5 has no unit; write it with a unit, such as 90s, 40m or 1h30m"],
    ["{ run: a, writes: [../x] }", '2:27: a path cannot hold ".."; write it relative to the repository root'],
    [
      "{ codemod: rename-symbol }",
      '2:19: "rename-symbol" needs to know what; write codemod: { rename-symbol: { symbol: old, to: new, file: src/a.ts } }',
    ],
    ["{ codemod: { rename-symbol: { symbol: a, to: b } } }", '2:36: "file" is missing; add it: a text'],
    [
      "{ codemod: { rename-symbol: { symbol: a, to: 'b c', file: d.ts } } }",
      "2:53: not a name of the language; write one such as getUser, or Class.member",
    ],
    [
      "{ codemod: { move-file: { from: a.ts, to: b/ } } }",
      "2:50: a file is meant here, not a folder; leave out the / at its end",
    ],
    [
      "{ codemod: { rule: a, move-file: { from: a, to: b } } }",
      "2:19: a codemod is one of rule and move-file; write a step for each",
    ],
    ["{ codemod: { pattern: a, fix: b, language: cobol } }", "2:51: expected "],
    ["{ promt: a }", '2:10: unknown key "promt"; did you mean "prompt"?'],
    ["{ prompt: a, codemod: node-protocol }", "2:8: a step is one of codemod and prompt; write a step for each"],
    ["{ codemod: node-protocol, agent: a }", "2:8: a codemod needs no agent; leave out the agent, or write a prompt"],
    [
      "{ codemod: node-protocl }",
      '2:19: expected "node-protocol" or "no-var" or "import-type" or "require-to-import", or a mapping (rule, pattern, fix, language, rename-symbol, move-file), found the text "node-protocl"; did you mean "node-protocol"?',
    ],
    [
      "{ codemod: replace-call }",
      "2:19: \"replace-call\" needs its pattern and fix; write codemod: { pattern: 'old($A)', fix: 'new($A)' }",
    ],
    ["{ codemod: { pattern: a } }", '2:19: "fix" is missing; write what to put in the place of the pattern'],
    ["{ codemod: { rule: a, fix: b } }", "2:19: a rule file says its own pattern, fix and language; leave those out"],
  ])("as the step %s is refused with what to write", (step, message) => {
    expect(refusal(`each: [${step}]`, "version: 1\n")).toEqual([expect.stringContaining(`x.yaml:${message}`)]);
  });

  it("as a job without steps, tasks without files, or two tasks of one id is refused", () => {
    expect(refusal("", "version: 1\n")).toEqual([
      'x.yaml:1:1: the job does nothing; write "prompt" (a goal), "each" (steps for every part) or "tasks"',
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

describe("job files in general", () => {
  it("survive when they are valid, without the keys that are their writer's own", () => {
    fc.assert(
      fc.property(jobs, (job) => {
        const kept = Object.keys(job).filter((key) => !key.startsWith("x-"));
        expect(Object.keys(read(JSON.stringify(job))).sort()).toEqual(kept.sort());
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
        jobs,
        fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
        anything,
        fc.boolean(),
        (job, walk, value, isKey) => {
          const mutated = structuredClone(job);
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
