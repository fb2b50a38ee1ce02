import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { plantRepository } from "../support/equipment.ts";
import { openSheaf, patience, type Sheaf } from "../support/sheaf.ts";

const planner = `
- calls:
    - tool: plan
      input:
        summary: two parts
        tasks:
          - { id: one, title: First, goal: write a, writes: [a.txt] }
          - { id: two, title: Second, goal: write b, writes: [b.txt], needs: [one] }
- say: over
`;
const worker = `
- calls:
    - { tool: write, input: { file_path: a.txt, content: "done" } }
    - { tool: write, input: { file_path: b.txt, content: "done" } }
- calls: [{ tool: submit, input: { summary: done } }]
`;
const job = `
version: 1
prompt: do it
model: scripted/worker.yaml
agents: { planner: { model: scripted/planner.yaml } }
`;
/** Plans and does the work, as a model does that is asked both. */
const both = planner.replace(
  "- say: over",
  "    - { tool: write, input: { file_path: a.txt, content: done } }\n- say: over",
);

let sheaf: Sheaf;
let repository: string;
beforeAll(() => {
  sheaf = openSheaf();
  repository = join(sheaf.folder, "repo");
  const manifest = JSON.stringify({ scripts: { test: "test -f a.txt", lint: "no-such-linter" } });
  plantRepository(repository, { "a.txt": "a\n", "b.txt": "b\n", "package.json": manifest });
  for (const [path, text] of Object.entries({ "planner.yaml": planner, "worker.yaml": worker, "job.yaml": job })) {
    sheaf.write(path, text);
  }
  sheaf.write("both.yaml", both);
});
afterAll(() => sheaf[Symbol.asyncDispose]());

it(
  "a plan that was written down is executed as it is, and no planner is asked again",
  async () => {
    const planned = await sheaf.call(["plan", "job.yaml", "--repo", repository, "-o", "locks/job.plan.yaml"]);
    expect(planned.code).toBe(0);
    expect(planned.stdout).toMatch(/job: 2 tasks, 2 files, split by planner/);
    expect(planned.stdout).toMatch(/two .* b\.txt +after one/);
    const lock = join(sheaf.folder, "locks/job.plan.yaml");
    expect(readFileSync(lock, "utf8")).toMatch(/file: \.\.\/job\.yaml/);

    // Whoever would be asked now has something else to say, and the lock says that the job is another.
    sheaf.write("planner.yaml", planner.replaceAll("one", "other"));
    const changed = await sheaf.call(["run", "--locked", lock, "--repo", repository]);
    expect(changed).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/has changed since it was planned[\s\S]*plan again/),
    });

    sheaf.write("planner.yaml", planner);
    writeFileSync(join(repository, "c.txt"), "c\n");
    const git = (...words: string[]) =>
      execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@localhost", ...words], { cwd: repository });
    git("add", "-A");
    git("commit", "-q", "-m", "later");
    const elsewhere = await sheaf.call(["run", "--locked", lock, "--repo", repository, "--ref", "HEAD"]);
    expect(elsewhere).toMatchObject({ code: 64, stderr: expect.stringContaining("the plan is for the commit") });

    const { result } = await sheaf.job(["--locked", lock, "--repo", repository]);
    expect(result.tasks.map(({ id, landed }) => [id, landed])).toEqual([
      ["one", true],
      ["two", true],
    ]);
    expect(result.plan?.plan?.summary).toBe("two parts");
    expect(result.plan?.usage).toBeUndefined();
    expect(result.base_commit).toBe(git("rev-parse", "HEAD~1").toString().trim());
  },
  patience,
);

it(
  "a prompt is a whole job: the checks that are found, their state at the base, a plan, and what came of it",
  async () => {
    const words = ["-p", "write a", "--model", "scripted/both.yaml", "--repo", repository];
    const { result, stderr } = await sheaf.job(words);
    expect(stderr).toContain('checks found here: "npm test", "npm run lint"');
    expect(stderr).toMatch(/split {2}planner: 2 tasks[\s\S]*plan {3}two parts[\s\S]*forecast/);
    expect(result.plan?.base_checks?.map(({ run, state, is_left_out }) => [run, state, is_left_out])).toEqual([
      ["npm test", "green", undefined],
      ["npm run lint", "unrunnable", true],
    ]);
    expect(result.checks.map(({ name, state }) => [name, state])).toEqual([["npm test", "passed"]]);
    expect(result.tasks.find(({ id }) => id === "one")?.landed).toBe(true);
  },
  patience,
);
