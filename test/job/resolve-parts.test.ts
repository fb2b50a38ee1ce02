import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDocument } from "../../src/document/read-document.ts";
import { writeDocument } from "../../src/document/write-document.ts";
import { inlineJob } from "../../src/job/inline-job.ts";
import { readJobFile, readJobRequest } from "../../src/job/read-job-file.ts";
import { type GivenInputs, inputWords } from "../../src/job/resolve-inputs.ts";
import { resolveOrder } from "../../src/job/resolve-job.ts";
import type { Overrides } from "../../src/job/resolve-overrides.ts";
import { Fault } from "../../src/protocol/failure.ts";
import { type JobFile, jobFile } from "../../src/protocol/job-file.ts";

/** Begins a template. Written in two parts so that it is not taken for one of ours. */
const opening = ["$", "{{"].join("");
let cwd = "";

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "sheaf-parts-"));
  await mkdir(join(cwd, "rules"));
  await writeFile(join(cwd, "rules/a.yml"), "id: a\nlanguage: js\nrule: { pattern: a($A) }\nfix: b($A)\n");
  await writeFile(join(cwd, "fix.yaml"), "- say: hello\n");
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

async function resolved(text: string, inputs: GivenInputs = {}, overrides: Overrides = {}) {
  await writeFile(join(cwd, "x.yaml"), `version: 1\n${text.replaceAll("OPEN", opening)}`);
  return resolveOrder(await readJobFile("x.yaml", { cwd }), { cwd, inputs, overrides });
}

async function refusal(text: string, inputs: GivenInputs = {}, overrides: Overrides = {}): Promise<string> {
  const thrown: unknown = await resolved(text, inputs, overrides).catch((error: unknown) => error);
  if (thrown instanceof Fault) return thrown.remedy ? `${thrown.message}; ${thrown.remedy}` : thrown.message;
  throw new Error(`not refused: ${text}`, { cause: thrown });
}

const each = "each: [{ codemod: node-protocol }]";

describe("the parts of a job", () => {
  it("are resolved with their defaults: setup, splits, commands, checks, publishing", async () => {
    const order = await resolved(`
setup: npm ci
split: { by: findings, of: lint, files: 20, match: { glob: "src/**", pattern: "var $A = $B", language: ts } }
before: [{ run: npm install dayjs, writes: [package.json] }]
each:
  - { run: [npx, eslint, --fix, "OPEN task.files }}"], mayFail: true, timeout: 5m }
  - { codemod: { pattern: a($A), fix: b($A), language: js }, writes: ["*.js"] }
checks:
  - { name: lint, run: npx eslint . -f sarif, parse: sarif, expect: fewer, at: task, retries: 2, report: out/r.sarif }
  - { absent: '\\bvar\\b', in: src }
format: false
publish: { branch: bot/lint, existing: update, onBaseMoved: recheck, groupBy: task }`);
    expect(order).toMatchObject({
      setup: { run: "npm ci", timeout_ms: 900_000 },
      split: {
        by: "findings",
        of: "lint",
        files: 20,
        match: { glob: "src/**", pattern: "var $A = $B", language: "TypeScript" },
      },
      before: [
        {
          kind: "command",
          run: "npm install dayjs",
          may_fail: false,
          timeout_ms: 900_000,
          writes: [{ glob: "/package.json" }],
        },
      ],
      each: [
        {
          kind: "command",
          run: ["npx", "eslint", "--fix", `${opening} task.files }}`],
          may_fail: true,
          timeout_ms: 300_000,
        },
        { kind: "agent", writes: [{ glob: "*.js" }] },
      ],
      checks: [
        {
          kind: "command",
          name: "lint",
          at: "task",
          expect: "fewer",
          parse: "sarif",
          retries: 2,
          report: "out/r.sarif",
        },
        { kind: "absent", name: "absent: \\bvar\\b", at: "tree", absent: "\\bvar\\b", in: { glob: "/src" } },
      ],
      format: false,
      publish: { kind: "branch", name: "bot/lint", existing: "update", on_base_moved: "recheck", group_by: "task" },
    });
  });

  it("that rename a symbol or move a file are one task, unless the file says otherwise", async () => {
    const step = "each: [{ codemod: { move-file: { from: a.ts, to: b.ts } } }]";
    expect((await resolved(step)).split).toEqual({ by: "none" });
    expect((await resolved(`${step}\nsplit: workspace`)).split).toEqual({ by: "workspace" });
    expect((await resolved(`${each}\nsplit: { match: moment }`)).split).toEqual({
      by: "match",
      match: { regex: "moment" },
    });
  });

  it("may be tasks with needs, in any order", async () => {
    const order = await resolved(`
tasks:
  - { id: c, needs: [a, b], writes: [c], steps: [{ codemod: no-var }] }
  - { id: b, needs: [a], writes: [b], steps: [{ codemod: import-type }] }
  - { id: a, writes: [a], steps: [{ codemod: require-to-import }] }`);
    expect(order.tasks.map(({ id, needs }) => [id, needs])).toEqual([
      ["c", ["a", "b"]],
      ["b", ["a"]],
      ["a", undefined],
    ]);
  });

  it("have the values of inputs in them, wherever a text may have one", async () => {
    const order = await resolved(
      `
inputs: { from: moment, to: { description: the new one }, dry: false }
model: scripted/fix.yaml
agents: { a: { prompt: "Avoid OPEN inputs.from }}." } }
split: { by: list, items: ["src/OPEN inputs.from }}"], match: "OPEN regex(inputs.from) }}" }
each:
  - { prompt: "OPEN inputs.from }} to OPEN upper(inputs.to) }} in OPEN item.path }}", agent: a, writes: ["OPEN inputs.from }}/**"] }
  - { codemod: { pattern: "OPEN inputs.from }}($A)", fix: "OPEN inputs.to }}($A)" } }
checks: [{ absent: "OPEN regex(inputs.from) }}" }]
publish: { branch: "bot/OPEN inputs.to }}" }`,
      { to: "day.js", from: "a.b" },
    );
    expect(order).toMatchObject({
      inputs: { from: { value: "a.b" }, to: { value: "day.js", is_untrusted: false }, dry: { value: "false" } },
      split: { by: "list", items: ["src/a.b"], match: { regex: "a\\.b" } },
      each: [
        {
          agent: { instructions: "Avoid a.b." },
          prompt: `a.b to DAY.JS in ${opening} item.path }}`,
          writes: [{ glob: "a.b/**" }],
        },
        { agent: { model: { recipe: { pattern: "a.b($A)", fix: "day.js($A)" } } } },
      ],
      checks: [{ absent: "a\\.b" }],
      publish: { name: "bot/day.js" },
    });
  });

  it("are narrowed by the command line, and a branch it names keeps the rules of the file", async () => {
    const order = await resolved(
      `${each}\npublish: { branch: a, existing: replace }`,
      {},
      { sample: "3", only: "src", publish: "branch=b" },
    );
    expect(order).toMatchObject({ sample: 3, only: { glob: "/src" }, publish: { name: "b", existing: "replace" } });
  });
});

const refused: readonly (readonly [text: string, message: string])[] = [
  [
    "tasks: [{ id: a, needs: [c], writes: [a], steps: [{ codemod: no-var }] }, { id: b1, writes: [b], steps: [{ codemod: no-var }] }]",
    'x.yaml:2:26: there is no task "c"; the other tasks are b1',
  ],
  [
    "tasks: [{ id: a, needs: [a], writes: [a], steps: [{ codemod: no-var }] }]",
    'x.yaml:2:26: the task "a" needs itself; leave that out',
  ],
  [
    "tasks:\n  - { id: z, needs: [a], writes: [z], steps: [{ codemod: no-var }] }\n  - { id: a, needs: [b], writes: [a], steps: [{ codemod: no-var }] }\n  - { id: b, needs: [a], writes: [b], steps: [{ codemod: no-var }] }",
    "x.yaml:4:21: these tasks need each other in a circle: a -> b -> a; leave out one of these needs, or make one task of them",
  ],
  [
    `${each}\nsplit: { by: findings, of: lnt }\nchecks: [{ name: lint, run: a, parse: sarif }]`,
    'x.yaml:3:28: there is no check "lnt"; did you mean "lint"?',
  ],
  [
    `${each}\nsplit: { by: findings, of: lint }\nchecks: [{ name: lint, run: a, parse: tap }]`,
    'x.yaml:3:28: the check "lint" says in which files it finds something only with parse: sarif or eslint',
  ],
  [
    `${each}\nsplit: { by: match, match: { pattern: 'foo(((' } }`,
    "x.yaml:3:39: replace-call: the pattern `foo(((` does not compile",
  ],
  [
    "each: [{ run: [a, 'OPEN inputs.x }}'] }]",
    `x.yaml:2:19: "${opening} inputs.x }}": there is no input "x"; declare it: inputs: { x: VALUE }`,
  ],
  [
    `inputs: { file: a }\neach: [{ run: [a, 'OPEN inputs.fil }}'] }]`,
    `x.yaml:3:19: "${opening} inputs.fil }}": there is no input "fil"; did you mean inputs.file?`,
  ],
  [
    "before: [{ run: [a, 'OPEN item.path }}'] }]",
    `x.yaml:2:21: "${opening} item.path }}": steps before and after all tasks have no item; use it in each, or leave it out`,
  ],
  [
    "each: [{ codemod: { pattern: a, fix: 'OPEN item.path }}' } }]",
    `x.yaml:2:38: "${opening} item.path }}": item.path is known in a step's prompt and in the words of its run only; write the value itself, or use an input`,
  ],
  [
    `inputs: { a: ../x }\nsplit: { by: list, items: ['OPEN inputs.a }}'] }\n${each}`,
    'x.yaml:3:28: with its inputs this is "../x": a path cannot hold ".."; write it relative to the repository root',
  ],
  [
    `inputs: { a: '(' }\n${each}\nchecks: [{ absent: 'OPEN inputs.a }}' }]`,
    'x.yaml:4:20: with its inputs this is "(": not a regular expression',
  ],
  [
    `inputs: { a: { default: b, untrusted: true } }\n${each}\npublish: { branch: 'OPEN inputs.a }}' }`,
    `x.yaml:4:20: "${opening} inputs.a }}": the input a is untrusted: it cannot become a path, a pattern, a name or instructions; use it in a step's prompt`,
  ],
  [
    `inputs: { a: { description: the package } }\n${each}`,
    'input "a": a value is missing (the package); give it: --input a=VALUE',
  ],
];

describe("parts that cannot be", () => {
  it.each(refused)("as in %j are refused at their place, with what to write", async (text, message) => {
    expect(await refusal(text)).toContain(message.replaceAll("OPEN", opening));
  });

  it.each([
    [
      { cuont: "1", z: "x" },
      'there is no input "cuont"; did you mean "count"?\nthere is no input "z"; the inputs are a, c, count',
    ],
    [{ count: "3x" }, 'input "count": expected a number, found the text "3x"'],
    [{ dry: "yes" }, 'input "dry": expected true or false, found the text "yes"'],
    [{ way: "fsat" }, 'input "way": "fsat" is none of its options; did you mean "fast"?'],
    [{ a: "x\0" }, 'input "a": the text holds a NUL character'],
  ])("as the inputs %j are a mistake in usage", async (inputs, message) => {
    const text = `inputs: { a: x, c: y, count: 3, dry: false, way: { type: choice, options: [fast, safe], default: safe } }\n${each}`;
    expect(await refusal(text, inputs as unknown as GivenInputs)).toContain(message);
  });

  it("as inputs that no environment holds are a mistake in usage", async () => {
    const text = `inputs: { a: x, b: x }\n${each}`;
    const long = "ä".repeat(99_999);
    expect(await refusal(text, { a: long, b: long })).toMatch(
      /^the values of all inputs have 399996 bytes, at most 200000/,
    );
  });

  it.each([
    [["x"], '--input "x" names no value'],
    [["=x"], '--input "=x" names no value'],
    [["a=1", "a=2"], '--input "a" is given twice'],
  ])("as the words %j are a mistake in usage", (given, message) => {
    expect(() => inputWords(given)).toThrow(message);
    expect(inputWords(["a=b=c", "d="])).toEqual({ a: "b=c", d: "" });
  });

  it.each([
    [{ sample: "0" }, '--sample: "0" is no number from 1 to 1000000'],
    [{ only: "../x" }, '--only: a path cannot hold ".."'],
    [{ only: "src/[" }, "--only: "],
  ])("as the options %j are a mistake in usage", async (overrides, message) => {
    expect(await refusal(each, {}, overrides)).toContain(message);
  });

  it("as aliases that make much out of little are refused before they are written out", async () => {
    const text = `x-a: &a ${"x".repeat(90_000)}\n${each}\nx-b: [${Array(200).fill("*a").join(", ")}]`;
    expect(await refusal(text)).toMatch(/^x\.yaml:4:\d+: more than 16000000 characters in all/);
  });
});

describe("a job as a request", () => {
  const text = `
inputs: { word: a }
model: scripted/fix.yaml
each: [{ codemod: { rule: rules/a.yml } }, { prompt: "Do OPEN inputs.word }}." }, { codemod: { rule: ./rules/a.yml } }]
publish: { patch: out.patch }`;

  it("holds every file it needs, and says the same job at the other end, where nothing is read", async () => {
    const given = { inputs: { word: "b" }, overrides: { check: ["npm test"], timeout: "5m" } };
    await resolved(text);
    const source = await readJobFile("x.yaml", { cwd });
    const { request, order } = await inlineJob(source, { cwd, ...given });
    expect(Object.keys(request.files ?? {}).sort()).toEqual(["./rules/a.yml", "fix.yaml", "rules/a.yml"]);
    expect(order.publish).toEqual({ kind: "patch", file: join(cwd, "out.patch") });
    const sent = readJobRequest(JSON.parse(JSON.stringify(request)));
    const there = await resolveOrder(sent, given);
    expect(there).toEqual({ ...order, publish: { kind: "patch" } });
  });

  it("is refused with paths in it, in the words of a file, and without reading this machine's files", async () => {
    const request = (job: Record<string, unknown>) => readJobRequest({ job: { version: 1, ...job }, files: {} });
    expect(() => request({ each: [{ codemode: "no-var" }], checks: [{ run: "a", at: "tre" }] })).toThrow(
      'job.each[0].codemode: unknown key "codemode"; did you mean "codemod"?\njob.checks[0].at: expected "tree" or "task", found the text "tre"; did you mean "tree"?',
    );
    expect(() => request({ agents: { "a b": {} }, each: [{ codemod: "no-var" }] })).toThrow(
      'job.agents["a b"]: "a b" is no name',
    );
    const secret = request({ each: [{ codemod: { rule: "/etc/passwd" } }] });
    await expect(resolveOrder(secret, {})).rejects.toThrow(
      'job.each[0].codemod.rule: files has no text of "/etc/passwd"',
    );
    const late = request({ each: [{ codemod: "no-var" }], inputs: { a: {} } });
    await expect(resolveOrder(late, {})).rejects.toThrow('give it: inputs: { "a": "VALUE" }');
    await expect(
      resolveOrder(request({ each: [{ codemod: "no-var" }] }), { overrides: { timeout: "soon" } }),
    ).rejects.toThrow("overrides.timeout: ");
  });

  it("is refused when it is deeper, longer or stranger than a job can be", () => {
    const deep = JSON.parse(`${"[".repeat(200_000)}${"]".repeat(200_000)}`);
    const request = (job: unknown) => readJobRequest({ job: job as Record<string, unknown> });
    expect(() => request({ version: 1, "x-deep": deep })).toThrow(/nested more than 100 levels deep/);
    expect(() => request(JSON.parse('{"version":1,"agents":{"__proto__":{"prompt":"x"}}}'))).toThrow(
      /"__proto__" is not allowed/,
    );
    expect(() => request({ version: 1, "x-long": Array(600_000).fill(0) })).toThrow(/more than 500000 values/);
  });

  it("never throws anything but a Fault that says where", () => {
    fc.assert(
      fc.property(fc.object({ withNullPrototype: true, maxDepth: 5 }), (job) => {
        try {
          readJobRequest({ job: { version: 1, each: [job], ...job } });
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
          for (const line of (thrown as Fault).message.split("\n")) expect(line).toMatch(/^job|^\.\.\. and/);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("a past job as a file", () => {
  it("says what its options and inputs said, and reads as the same job", async () => {
    const text = `
x-mine: 1
inputs: { word: a, count: 3, title: { untrusted: true }, way: { type: choice, options: [fast, safe], default: safe } }
limits: { idle: 1m }
each: [{ run: [echo, "OPEN inputs.word }}"] }]
checks: [a]
publish: { branch: x, existing: update }`;
    const inputs = { word: "on", count: "4", title: "${" + "{ x }}: yes\n- no", way: "fast" };
    const overrides = { check: ["b"], concurrency: "2", timeout: "5m", publish: "branch=y", model: "recipe/no-var" };
    const order = await resolved(text, inputs, overrides);
    const printed = writeDocument(order.written);
    await writeFile(join(cwd, "again.yaml"), printed);
    const again = await resolveOrder(await readJobFile("again.yaml", { cwd }), { cwd });
    expect(again).toEqual({ ...order, written: again.written });
    expect(again.written).toEqual(order.written);
    expect(order.written).toMatchObject({ name: "x", "x-mine": 1, limits: { idle: "1m", concurrency: 2, time: "5m" } });
  });

  it("is read back as what it was, whatever texts are in it", () => {
    const read = (text: string): JobFile => readDocument(text, { file: "x", schema: jobFile, code: "job_file" }).value;
    const word = fc
      .string({ unit: "binary", maxLength: 20 })
      .filter(
        (text) =>
          /^[^\p{C}\s]|[\p{C}]/u.test(text) &&
          !/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]|\p{Cs}|\$\{\{/u.test(text),
      );
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            word,
            fc.constantFrom("on", "1", "- a", "a: b", "#x", "'", '"', "|", "x\n", "\n y", "yes", "~", "1e3", "0x1"),
          ),
          { maxLength: 4 },
        ),
        (words) => {
          const job = { version: 1, each: [{ run: ["x", ...words] }] };
          expect(read(writeDocument(job))).toEqual(job);
        },
      ),
      { numRuns: 300 },
    );
  });
});
