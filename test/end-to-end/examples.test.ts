import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJobFile } from "../../src/job/read-job-file.ts";
import { openSheaf, patience, type Sheaf } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";

/** Every job file that ships does what it says, on a repository that has work for all of them. */
const examples = join(import.meta.dirname, "../../examples");
const jobFiles = readdirSync(examples).filter((name) => name.endsWith(".yaml") && !name.startsWith("sheaf."));
let ground: Playground;
let sheaf: Sheaf;
let away: Sheaf;
let env: Record<string, string>;

beforeAll(async () => {
  ground = playground();
  ground.write("src/a.js", 'const url = require("url");\nmodule.exports = (text) => url.parse(text.substr(0, 9));\n');
  ground.write("lib/b.ts", "export const short = (text: string) => text.substr(0, 3);\n");
  ground.write("package.json", JSON.stringify(manifest, null, 2));
  ground.write("packages/cart/package.json", '{ "name": "cart" }');
  ground.write(
    "packages/cart/index.js",
    'const moment = require("moment");\nmodule.exports = () => moment().format();\n',
  );
  ground.write("tools/lint.cjs", linter);
  ground.write("src/old.js", "var one = 1;\nmodule.exports = one;\n");
  ground.commit();
  sheaf = openSheaf({ inProcess: true });
  away = openSheaf({ inProcess: true });
  const serving = sheaf.start(["serve", "--port", "0"]);
  await serving.shows(/listens on/);
  const url = /listens on (http:\S+);/.exec(serving.stderr)?.[1] ?? "";
  env = { SHEAF_SERVER: url, SHEAF_TOKEN: readFileSync(join(sheaf.home, "token"), "utf8").trim() };
}, patience);
afterAll(async () => {
  await away[Symbol.asyncDispose]();
  await sheaf[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

const manifest = {
  name: "shop",
  private: true,
  workspaces: ["packages/*"],
  scripts: { test: "node --check src/a.js && node --check packages/cart/index.js", lint: "node tools/lint.cjs" },
  dependencies: { moment: "*" },
};

/** Finds `var` in the files below src, prints SARIF, and fixes what it is told to. */
const linter = `
const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
const [mode, ...given] = process.argv.slice(2);
const files = mode === "--fix" ? given : readdirSync("src").map((name) => "src/" + name);
const results = files.filter((path) => /\\bvar\\b/.test(readFileSync(path, "utf8"))).map((path) => ({
  ruleId: "no-var",
  message: { text: "Unexpected var." },
  locations: [{ physicalLocation: { artifactLocation: { uri: path }, region: { startLine: 1 } } }],
}));
if (mode === "--fix") for (const path of files) writeFileSync(path, readFileSync(path, "utf8").replaceAll(/\\bvar\\b/g, "let"));
console.log(JSON.stringify({ version: "2.1.0", runs: [{ tool: { driver: { name: "lint" } }, results }] }));
process.exitCode = results.length > 0 ? 1 : 0;
`;

/** What each makes of the repository: a line that must be in its diff. */
const lines: Record<string, string> = {
  "agent-with-commands.yaml": "+let one = 1;",
  "codemod-then-agent.yaml": '+const moment = require("dayjs");',
  "nightly-lint.yaml": "+let one = 1;",
  "smallest.yaml": '+const url = require("node:url");',
  "node-protocol.yaml": '+const url = require("node:url");',
  "replace-call.yaml": "+module.exports = (text) => new URL(text.substr(0, 9));",
  "rule-file.yaml": "+export const short = (text: string) => text.slice(0, 3);",
  "scripted-agent.yaml": "+# About",
  "hybrid.yaml": '+const url = require("node:url");',
  "planned.yaml": "+# Thanks",
};

describe("the examples", { timeout: patience }, () => {
  it.each(jobFiles)("%s gives what it promises, here and over the network", async (name) => {
    const file = join(examples, name);
    const { result } = await sheaf.job([file, "--repo", ground.user]);
    const there = await away.job([file, "--repo", ground.user, "--publish", "none"], { env });
    expect(there.result).toMatchObject({ outcome: "succeeded", result_tree: result.result_tree });
    expect(result).toMatchObject({ outcome: "succeeded", exit_code: 0 });
    const { stdout } = await sheaf.call(["diff", result.job.handle]);
    expect(stdout).toContain(lines[name] ?? `a line for ${name} in this test`);
    for (const check of result.checks) expect(check.state).toBe("passed");
    if (name === "codemod-then-agent.yaml") await expectSameJobAgain(result.job.handle);
    if (name === "replace-call.yaml")
      expect(readFileSync(join(sheaf.folder, "replace-call.patch"), "utf8")).toBe(stdout);
    if (name === "agent-with-commands.yaml") {
      expect(result.denials).toMatchObject([{ tool: "bash", input: "npm test 2>&1 | tail -n 3", rule: "no rule" }]);
    }
    if (name === "scripted-agent.yaml") {
      expect(result.denials).toMatchObject([{ tool: "write", input: ".npmrc" }]);
      expect(ground.git("show", "sheaf/notes:notes/about.md")).toBe("# About");
    }
  });
});

/** A past job, printed as a file, is a job file that says what its inputs were. */
async function expectSameJobAgain(handle: string): Promise<void> {
  const { code, stdout } = await sheaf.call(["run", "--from", handle]);
  expect(code).toBe(0);
  const file = join(sheaf.folder, "again.yaml");
  writeFileSync(file, stdout);
  const { file: job } = await readJobFile(file, { cwd: sheaf.folder });
  expect(job).toMatchObject({ name: "codemod-then-agent", inputs: { from: "moment", to: { default: "dayjs" } } });
}
