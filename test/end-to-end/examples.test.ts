import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSheaf, patience, type Sheaf } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";

/** Every job file that ships does what it says, on a repository that has work for all of them. */
const examples = join(import.meta.dirname, "../../examples");
const jobFiles = readdirSync(examples).filter((name) => name.endsWith(".yaml"));
let ground: Playground;
let sheaf: Sheaf;

beforeAll(() => {
  ground = playground();
  ground.write("src/a.js", 'const url = require("url");\nmodule.exports = (text) => url.parse(text.substr(0, 9));\n');
  ground.write("lib/b.ts", "export const short = (text: string) => text.substr(0, 3);\n");
  ground.commit();
  sheaf = openSheaf();
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

/** What each makes of the repository: a line that must be in its diff. */
const lines: Record<string, string> = {
  "node-protocol.yaml": '+const url = require("node:url");',
  "replace-call.yaml": "+module.exports = (text) => new URL(text.substr(0, 9));",
  "rule-file.yaml": "+export const short = (text: string) => text.slice(0, 3);",
  "scripted-agent.yaml": "+# About",
};

describe("the examples", { timeout: patience }, () => {
  it.each(jobFiles)("%s is valid, and a run of it gives what it promises", async (name) => {
    const file = join(examples, name);
    expect(await sheaf.call(["validate", file])).toMatchObject({ code: 0, stderr: "" });
    const { result } = await sheaf.job([file, "--repo", ground.user]);
    expect(result).toMatchObject({ outcome: "succeeded", exit_code: 0 });
    const { stdout } = await sheaf.call(["diff"]);
    expect(stdout).toContain(lines[name] ?? `a line for ${name} in this test`);
    for (const check of result.checks) expect(check.state).toBe("passed");
    if (name === "replace-call.yaml")
      expect(readFileSync(join(sheaf.folder, "replace-call.patch"), "utf8")).toBe(stdout);
    if (name === "scripted-agent.yaml") {
      expect(result.denials).toMatchObject([{ tool: "write", input: ".npmrc" }]);
      expect(ground.git("show", "sheaf/notes:notes/about.md")).toBe("# About");
    }
  });
});
