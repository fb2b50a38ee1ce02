import fc from "fast-check";

/** Job files that are valid, of every key there is: what they name need not be there. */

const opening = ["$", "{{"].join("");
const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const line = fc
  .string({ minLength: 1, maxLength: 12 })
  .filter((text) => text.trim() !== "" && !text.includes(opening) && !text.includes("\0"));
const path = fc.constantFrom("src", "src/**/*.ts", "package.json", "a b/c", "/lib/**", `src/${opening} inputs.a }}`);
const file = fc.constantFrom("src/a.ts", "a.js", "app/[id]/page.tsx");
const regex = fc.constantFrom("\\bvar\\b", "a|b", "['\"]moment['\"]", `^${opening} regex(inputs.a) }}`);
const time = fc.constantFrom("5m", "90s", "1h30m", "500ms");
const prompt = fc.constantFrom(
  "Do it.",
  `Fix ${opening} item.path }}.`,
  `${opening} join(task.files, ', ') }}`,
  `${opening} inputs.a }}`,
);
const paths = fc.uniqueArray(path, { minLength: 1, maxLength: 3 });
/** The one key that reading refuses wherever it stands. */
const anything = fc.jsonValue().filter((value) => !JSON.stringify(value).includes("__proto__"));
const extension = fc.dictionary(fc.constantFrom("x-mine", "x-"), anything, { maxKeys: 1 });

/** Any of these keys, those of `required` always, and now and then one that is the writer's own. */
function mapping<Shape extends Record<string, fc.Arbitrary<unknown>>>(
  shape: Shape,
  required: (keyof Shape & string)[] = [],
) {
  return fc
    .tuple(fc.record(shape, { requiredKeys: required as never[] }), extension)
    .map(([keys, own]): Record<string, unknown> => ({ ...keys, ...own }));
}

const codemod = fc.oneof(
  fc.constantFrom("node-protocol", "no-var", "import-type", "require-to-import"),
  mapping({ rule: line }, ["rule"]),
  mapping(
    { pattern: line, fix: fc.constantFrom("", "b($A)"), language: fc.constantFrom("js", "Python", "go", "rs", "Java") },
    ["pattern", "fix"],
  ),
  fc.record({
    "rename-symbol": mapping({ symbol: fc.constantFrom("a", "User.get", "$x"), to: name, file, tsconfig: file }, [
      "symbol",
      "to",
      "file",
    ]),
  }),
  fc.record({ "move-file": mapping({ from: file, to: file, tsconfig: file }, ["from", "to"]) }),
);
const run = fc.oneof(
  fc.constantFrom("npm test", "echo $SHEAF_TASK_FILES"),
  fc
    .array(fc.oneof(line, fc.constantFrom("", `${opening} task.files }}`)), { maxLength: 3 })
    .map((words) => ["npx", ...words]),
);
const step = fc.oneof(
  mapping({ codemod, writes: paths }, ["codemod"]),
  mapping({ prompt, agent: name, writes: paths }, ["prompt"]),
  mapping({ run, mayFail: fc.boolean(), timeout: time, writes: paths }, ["run"]),
);
const steps = fc.array(step, { minLength: 1, maxLength: 3 });

const match = fc.oneof(
  regex,
  mapping({ glob: path, regex }, ["regex"]),
  mapping({ glob: path, pattern: line, language: fc.constantFrom("ts", "Go") }, ["pattern"]),
);
const most = { files: fc.integer({ min: 1, max: 99 }), tasks: fc.integer({ min: 1, max: 99 }) };
const split = fc.oneof(
  fc.constantFrom("none", "files", "directory", "workspace", "owner"),
  mapping({ by: fc.constantFrom("files", "directory", "workspace", "owner"), match, ...most }, ["by"]),
  mapping({ by: fc.constant("none"), match }, ["by"]),
  mapping({ match, ...most }, ["match"]),
  mapping({ by: fc.constant("list"), items: paths, tasks: most.tasks, match }, ["by", "items"]),
  mapping({ by: fc.constant("findings"), of: line, match, ...most }, ["by", "of"]),
);
const planned = fc.oneof(
  fc.constant("planner"),
  mapping({ by: fc.constant("planner"), tasks: most.tasks, match }, ["by"]),
);
const tasks = fc
  .uniqueArray(name, { minLength: 1, maxLength: 4 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id, index) =>
        mapping({ needs: fc.constant(ids.slice(0, index)), items: paths, writes: paths, steps }, [
          "writes",
          "steps",
        ]).map(({ needs, ...task }) => ({ id, ...task, ...(index > 0 && needs ? { needs } : {}) })),
      ),
    ),
  );
const check = fc.oneof(
  fc.constantFrom("npm test", "true"),
  mapping(
    {
      name: line,
      run: fc.constantFrom("npm test", "true"),
      at: fc.constantFrom("task", "tree"),
      expect: fc.constantFrom("no-new-failures", "pass", "fixed", "fewer"),
      timeout: time,
      retries: fc.integer({ min: 0, max: 10 }),
    },
    ["run"],
  ),
  mapping(
    {
      run: fc.constant("a"),
      parse: fc.constantFrom("junit", "tap", "sarif", "vitest", "jest", "eslint"),
      report: file,
    },
    ["run", "parse"],
  ),
  mapping({ absent: regex, in: path, at: fc.constantFrom("task", "tree"), name: line }, ["absent"]),
);
const input = fc.oneof(
  fc.constantFrom<unknown>("moment", "", 3, -1.5, true),
  mapping({ type: fc.constant("string"), description: line, default: line, untrusted: fc.boolean() }),
  mapping({ type: fc.constant("number"), default: fc.integer() }, ["type"]),
  mapping({ type: fc.constant("choice"), options: fc.constant(["a", "b"]), default: fc.constant("b") }, [
    "type",
    "options",
  ]),
);
const publish = fc.oneof(
  fc.constantFrom("none", "patch"),
  mapping({ patch: line }, ["patch"]),
  mapping(
    {
      branch: fc.constantFrom("bot/fix", `bot/${opening} inputs.a }}`),
      existing: fc.constantFrom("refuse", "skip", "replace", "update"),
      onBaseMoved: fc.constantFrom("keep", "recheck", "fail"),
      groupBy: fc.constantFrom("job", "task"),
    },
    ["branch"],
  ),
);
const model = fc.constantFrom(
  ...["sonnet", "claude-opus-5", "qwen3-coder:30b", "bedrock/us.anthropic.claude-x-v1:0", "vertex/claude-x@20260101"],
  ...["replay/lint-7", "replay/runs/x.json", "scripted/a.yaml", "recipe/no-var"],
);
const spend = { usd: fc.constantFrom(0, 0.25, 20), tokens: fc.integer({ min: 1, max: 1e9 }) };
const turns = fc.integer({ min: 1, max: 99 });
const agent = mapping({
  model,
  description: line,
  prompt,
  tools: fc.uniqueArray(fc.constantFrom("Read", "Bash", "mcp__docs__search"), { minLength: 1, maxLength: 3 }),
  allow: fc.array(line, { maxLength: 2 }),
  limits: mapping({ ...spend, turns, time }),
});
const secret = fc.record({ secret: fc.constantFrom("DOCS_TOKEN", "A") });
const server = fc.oneof(
  mapping({ run: fc.constantFrom(["node", "server.js"], ["docs"]), network: fc.constant(["registry"]) }, ["run"]),
  mapping(
    {
      url: fc.constantFrom("https://docs.example.com/mcp", "http://127.0.0.1:8080/"),
      headers: fc.record({ Authorization: secret }),
    },
    ["url"],
  ),
);

const common = {
  name,
  inputs: fc.dictionary(name, input, { maxKeys: 3 }),
  model,
  servers: fc.dictionary(name, server, { maxKeys: 2 }),
  agents: fc.dictionary(name, agent, { maxKeys: 2 }),
  setup: fc.oneof(fc.constant("npm ci"), mapping({ run: fc.constant("npm ci"), timeout: time }, ["run"])),
  checks: fc.array(check, { maxLength: 3 }),
  permissions: mapping({ allow: fc.array(line, { maxLength: 2 }), deny: fc.array(line, { maxLength: 2 }) }),
  format: fc.boolean(),
  land: fc.constantFrom("green", "together"),
  publish,
  limits: mapping({
    concurrency: fc.integer({ min: 1, max: 99 }),
    ...{ time, idle: time, ...spend, turns },
    depth: fc.constantFrom(1, 2),
    agents: fc.integer({ min: 1, max: 99 }),
    task: mapping(spend),
  }),
};

/** The values of `version` and what does the work are always there. */
export const jobs = fc.oneof(
  mapping({ version: fc.constant(1), prompt, split: planned, before: steps, after: steps, ...common }, [
    "version",
    "prompt",
  ]),
  mapping({ version: fc.constant(1), prompt, each: steps, split, before: steps, after: steps, ...common }, [
    "version",
    "each",
  ]),
  mapping({ version: fc.constant(1), tasks, ...common }, ["version", "tasks"]),
  mapping({ version: fc.constant(1), before: steps, after: steps, ...common }, ["version", "before"]),
);
