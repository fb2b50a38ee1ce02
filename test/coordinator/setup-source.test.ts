import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRule } from "../../src/permission/rule.ts";
import type { Event } from "../../src/protocol/event.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { AgentStep, CommandStep, Step } from "../../src/protocol/step.ts";
import { resolveBase } from "../../src/workspace/base.ts";
import { openRepository, type Repository } from "../../src/workspace/repository.ts";
import { runJobOn, runSpec, shown } from "../support/bench-job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import { commandCheck } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench({ secrets: { NPM_TOKEN: "tok-SECRET-1234567890" } });
});
afterAll(() => bench[Symbol.asyncDispose]());

/** What the install runs without the job's author naming it, as npm runs `postinstall`. */
const honest =
  "mkdir -p node_modules && echo honest > node_modules/tool && echo $NPM_TOKEN | rev > node_modules/seen\n";
const evil = "mkdir -p node_modules && echo evil > node_modules/tool && echo $NPM_TOKEN | rev > node_modules/seen\n";
const seen = "0987654321-TERCES-kot\n";
const files = {
  ".gitignore": "node_modules/\n",
  "package.json": '{"v":1}\n',
  "lib/install.sh": honest,
  "one/x": "1\n",
};
const setup = (name: string, more: Partial<NonNullable<JobSpec["setup"]>> = {}) => ({
  run: `: ${name}; for each in lib/*.sh; do sh $each; done`,
  timeout_ms: 20_000,
  ...more,
});

const command = (run: string): CommandStep => ({ kind: "command", run, may_fail: false, timeout_ms: 20_000 });
function agent(...calls: { tool: string; input: Record<string, unknown> }[]): AgentStep {
  const turns = [
    ...calls.map((call) => ({ calls: [call] })),
    { calls: [{ tool: "submit", input: { summary: "done" } }] },
  ];
  const model = { provider: "scripted" as const, file: "x.yaml", turns };
  return { kind: "agent", agent: { name: "one", instructions: "", model }, prompt: "" };
}
const write = (file_path: string, content: string) => ({ tool: "write", input: { file_path, content } });
const task = (id: string, needs: string[], ...steps: Step[]): NamedTask => ({
  id,
  needs,
  writes: [{ directories: ["one", "two", "lib"] }, { files: ["package.json"] }],
  steps,
});
const look = (to: string) => command(`mkdir -p $(dirname ${to}); cat node_modules/tool node_modules/seen > ${to}`);
const permissions = { allow: [parseRule("Edit(**)"), parseRule("Read(**)")], deny: [] };
const started = (events: readonly Event[]) => events.filter(({ type }) => type === "setup.started").length;

describe("a setup with a secret", () => {
  it("has none on what an agent made, and says so where it fails without", async () => {
    const changing = agent(write("package.json", '{"v":2}\n'), write("lib/install.sh", evil));
    const leak = await runJobOn(bench, files, {
      setup: setup("leak", { secrets: ["NPM_TOKEN"] }),
      permissions,
      tasks: [task("one", [], changing), task("two", ["one"], look("two/saw"))],
    });
    expect(leak.result).toMatchObject({ outcome: "succeeded" });
    expect(shown(leak.repository, leak.result)("two/saw")).toBe("evil\n\n");
    const needy = await runJobOn(bench, files, {
      setup: setup('needy; test -n "$NPM_TOKEN" || exit 9', { secrets: ["NPM_TOKEN"] }),
      permissions,
      tasks: [task("one", [], changing, look("two/saw"))],
    });
    expect(needy.result).toMatchObject({
      tasks: [
        {
          state: "failed",
          reason: {
            code: "setup_failed",
            message: expect.stringMatching(/exit 9; without NPM_TOKEN: an agent may have changed/),
            remedy: expect.stringContaining("run step of the job"),
          },
        },
      ],
    });
  });

  it("runs on the base for an agent's tree with the same dependencies, whatever else the agent changed", async () => {
    const { result, repository, events } = await runJobOn(bench, files, {
      setup: setup("same", { secrets: ["NPM_TOKEN"] }),
      permissions,
      tasks: [task("one", [], agent(write("lib/install.sh", evil)), look("two/saw"))],
    });
    expect(shown(repository, result)("two/saw")).toBe(`honest\n${seen}`);
    expect(started(events)).toBe(1);
  });

  it("has it on what a command of the job's author made, once for all that starts there", async () => {
    const own = setup("own", { secrets: ["NPM_TOKEN"] });
    const { result, repository, events } = await runJobOn(bench, files, {
      setup: own,
      permissions,
      tasks: [
        task("before", [], command("echo '{\"v\":2}' > package.json")),
        task("one", ["before"], agent(write("one/a", "a\n"), write("lib/install.sh", evil)), look("two/saw")),
        {
          ...task("two", ["before"], agent(write("more/b", "b\n")), look("more/saw")),
          writes: [{ directories: ["more"] }],
        },
      ],
      checks: [commandCheck("grep -q honest node_modules/tool", { expect: "pass" })],
    });
    expect(result.outcome).toBe("succeeded");
    expect(shown(repository, result)("two/saw")).toBe(`honest\n${seen}`);
    expect(shown(repository, result)("more/saw")).toBe(`honest\n${seen}`);
    // At the base, for the first command; and on what it made.
    expect(started(events)).toBe(2);
  });
});

describe("what a setup made", () => {
  it("of an agent's tree serves that tree alone, and what starts from it", async () => {
    const { result, repository, events } = await runJobOn(bench, files, {
      setup: setup("alone"),
      permissions,
      tasks: [
        task("bump", [], agent(write("package.json", '{"v":2}\n'))),
        task("bad", ["bump"], agent(write("lib/install.sh", evil)), look("two/bad")),
        {
          ...task("good", ["bump"], agent(write("more/b", "b\n")), look("more/good")),
          writes: [{ directories: ["more"] }],
        },
      ],
    });
    const read = shown(repository, result);
    expect([read("two/bad"), read("more/good")]).toEqual(["honest\n\n", "honest\n\n"]);
    expect(started(events)).toBe(1);
  });

  it("of one job's agent is nothing to a later job with the same dependencies", async () => {
    const poisoned = await runJobOn(bench, files, {
      setup: setup("poison"),
      permissions,
      tasks: [
        task("one", [], agent(write("package.json", '{"v":2}\n'), write("lib/install.sh", evil)), look("two/saw")),
      ],
    });
    expect(shown(poisoned.repository, poisoned.result)("two/saw")).toBe("evil\n\n");
    const { repository } = poisoned;
    await commit(repository, { "package.json": '{"v":2}\n' });
    const after = await runSpec(bench, await jobAt(repository, "poison"), repository);
    expect(shown(repository, after.result)("two/saw")).toBe("honest\n\n");
  });

  it("of the base is shared by later commits of the user's own with the same dependencies, unless the command names what changed", async () => {
    const { repository } = await bench.repository(files);
    const first = await runSpec(bench, await jobAt(repository, "kept; cat one/x"), repository);
    await commit(repository, { "lib/other": "1\n" });
    const second = await runSpec(bench, await jobAt(repository, "kept; cat one/x"), repository);
    expect([started(first.events), started(second.events)]).toEqual([1, 0]);
    await commit(repository, { "one/x": "2\n" });
    const third = await runSpec(bench, await jobAt(repository, "kept; cat one/x"), repository);
    expect(started(third.events)).toBe(1);
  });

  it("of a base that a caller sent serves that very tree alone", async () => {
    const { repository: sent } = await bench.repository(files);
    const place = join(bench.equipment.home, "bundled", "0123.git");
    execFileSync("git", ["clone", "-q", "--bare", sent.user.top, place]);
    const repository = await openRepository(place, { home: bench.equipment.home, git: bench.equipment.git });
    try {
      const first = await runSpec(bench, await jobAt(repository, "sent"), repository);
      await commit(sent, { "lib/install.sh": evil });
      execFileSync("git", ["-C", sent.user.top, "push", "-q", place, "HEAD"]);
      const second = await runSpec(bench, await jobAt(repository, "sent"), repository);
      expect([started(first.events), started(second.events)]).toEqual([1, 1]);
      expect(shown(repository, second.result)("two/saw")).toBe("evil\n\n");
    } finally {
      await repository.close();
      rmSync(place, { recursive: true });
    }
  });
});

async function jobAt(repository: Repository, name: string): Promise<JobSpec> {
  const { spec } = await bench.repository({ "x.txt": "" });
  const { base } = await resolveBase(repository, "HEAD", { includeDirty: false });
  return { ...spec, base, setup: setup(name), tasks: [task("one", [], look("two/saw"))] };
}

async function commit({ user }: Repository, changed: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(changed)) writeFileSync(join(user.top, path), content);
  const git = (...words: string[]) => execFileSync("git", ["-C", user.top, ...words]);
  git("add", "-A");
  git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "next");
  expect(readFileSync(join(user.top, ".gitignore"), "utf8")).toBe(files[".gitignore"]);
}
