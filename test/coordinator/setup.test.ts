import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { CommandStep } from "../../src/protocol/step.ts";
import { runJobOn, runSpec, shown } from "../support/bench-job.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";
import { commandCheck } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const command = (run: string): CommandStep => ({ kind: "command", run, may_fail: false, timeout_ms: 20_000 });
const task = (id: string, needs: string[], run: string): NamedTask => ({
  id,
  needs,
  writes: [{ directories: [id] }],
  steps: [command(run)],
});
const files = { "package.json": "{}\n", ".gitignore": "node_modules/\n", "src/a.js": "1\n" };

type Told = Awaited<ReturnType<typeof runJobOn>>["events"];

/** Installs what package.json says, in the way of `npm ci`. */
function installing(name: string): NonNullable<JobSpec["setup"]> {
  const make = "mkdir -p node_modules/.bin node_modules/dep gen && cp package.json node_modules/dep/manifest";
  const link =
    "ln -s ../dep/manifest node_modules/.bin/dep && echo made > gen/types.d.ts && chmod 555 node_modules/dep";
  return { run: `: ${name}; ${make} && ${link} && echo changed > src/a.js`, timeout_ms: 20_000 };
}

/** How often the setup was begun. */
const timesIn = (...all: Told[]) => all.flat().filter((event) => event.type === "setup.started").length;

const events = (all: Told) => all.flatMap((event) => (event.type === "setup.finished" ? [event.data.is_reused] : []));

describe("the setup", () => {
  it("runs once for all commands and checks, in whose checkouts lies what it made, and nothing of it lands", async () => {
    const setup = installing("once");
    const sees = "test -L node_modules/.bin/dep && cat node_modules/.bin/dep gen/types.d.ts && cat src/a.js";
    const tasks = [
      task("one", [], `mkdir one && { ${sees}; } > one/saw && touch node_modules/more gen/more`),
      task("two", ["one"], `mkdir two && { ${sees}; } > two/saw && ! test -e node_modules/more`),
    ];
    const check = commandCheck("test -x node_modules/.bin && grep -q made gen/types.d.ts && ! test -e gen/more", {
      expect: "pass",
    });
    const widened = tasks.map((each) => ({ ...each, writes: [...each.writes, { directories: ["gen"] }] }));
    const {
      result,
      repository,
      events: told,
    } = await runJobOn(bench, files, { setup, tasks: widened, checks: [check] });
    expect(result).toMatchObject({ outcome: "failed", checks: [{ state: "failed" }] });
    const clean = tasks.map((each) => ({
      ...each,
      steps: each.steps.map((step) => ({ ...step, run: `${"run" in step ? step.run : ""}; rm -f gen/more` })),
    }));
    const again = await runSpec(
      bench,
      { ...(await specOf(repository)), setup, tasks: clean, checks: [check] },
      repository,
    );
    expect(again.result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 1 }, { files_changed: 1 }] });
    expect(shown(repository, again.result)("two/saw")).toBe("{}\nmade\n1\n");
    expect(timesIn(told, again.events)).toBe(1);
    expect([events(told), events(again.events)]).toEqual([[false], [true]]);
    expect(readdirSync(join(bench.folder, "home/checkouts"))).toEqual([]);
  });

  it("leaves to a command what it makes of a prepared file that no rule ignores", async () => {
    const setup = installing("changed");
    const run = "echo more >> gen/types.d.ts; touch gen/types.d.ts";
    const own = { ...task("one", [], run), writes: [{ directories: ["gen"] }] };
    const { result, repository } = await runJobOn(bench, files, { setup, tasks: [own] });
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ files_changed: 1 }] });
    expect(shown(repository, result)("gen/types.d.ts")).toBe("made\nmore\n");
    const without = await runJobOn(bench, files, { setup, tasks: [task("one", [], run)] });
    expect(without.result).toMatchObject({ outcome: "blocked", denials: [{ input: "gen/types.d.ts" }] });
  });

  it("runs again where a task changed what is installed, and only there", async () => {
    const setup = installing("manifest");
    const change: NamedTask = {
      id: "before",
      writes: [{ files: ["package.json"] }],
      steps: [command("echo '{\"new\":1}' > package.json"), command("cat node_modules/dep/manifest | grep -q new")],
    };
    const { result, events: told } = await runJobOn(bench, files, {
      setup,
      tasks: [change, task("two", ["before"], "mkdir two; cp node_modules/dep/manifest two/x")],
    });
    expect(result.outcome).toBe("succeeded");
    expect(timesIn(told)).toBe(2);
    expect(events(told)).toEqual([false, false]);
  });

  it("that fails is the job's failure, with what it printed; nothing else is begun", async () => {
    const setup = { run: "echo no registry >&2; exit 7", timeout_ms: 20_000 };
    const tasks = [task("one", [], "true"), task("two", [], "true"), task("three", ["two"], "true")];
    const { result, events: told } = await runJobOn(bench, files, {
      setup,
      tasks,
      limits: { time_ms: 60_000, idle_ms: 60_000, concurrency: 1 },
    });
    expect(result).toMatchObject({
      outcome: "failed",
      exit_code: 1,
      reason: { code: "setup_failed", message: expect.stringMatching(/^setup .*exit 7$/), log: "no registry" },
      tasks: [
        { state: "failed", reason: { code: "setup_failed" } },
        { state: "failed", attempts: 0 },
        { state: "failed", attempts: 0 },
      ],
    });
    expect(told.filter((event) => event.type === "setup.started")).toHaveLength(1);
    expect(
      existsSync(join(bench.folder, "home/setups")) &&
        readdirSync(join(bench.folder, "home/setups")).some((name) => name.startsWith(".draft")),
    ).toBe(false);
  });

  it("that fails for the checks alone fails the job, and the tasks' work is kept", async () => {
    const setup = { run: "exit 7", timeout_ms: 20_000 };
    const { result } = await runJobOn(bench, files, {
      setup,
      tasks: [writingTask("one")],
      checks: [commandCheck("true")],
    });
    expect(result).toMatchObject({
      outcome: "failed",
      reason: { code: "setup_failed" },
      tasks: [{ state: "succeeded", landed: false }],
    });
    expect(readFileSync(result.tasks[0]?.patch_file ?? "", "utf8")).toContain("+written by one");
  });

  it("that fails only on what one task made fails that task", async () => {
    const setup = { run: "! grep -q bad package.json", timeout_ms: 20_000 };
    const bad: NamedTask = {
      id: "bad",
      writes: [{ files: ["package.json"] }],
      steps: [command(`echo '{"bad":true}' > package.json`), command("true")],
    };
    const { result } = await runJobOn(bench, files, {
      setup,
      tasks: [bad, task("fine", [], "mkdir fine; echo > fine/x")],
    });
    expect(result).toMatchObject({
      outcome: "partial",
      tasks: [{ state: "failed", reason: { code: "setup_failed" } }, { landed: true }],
    });
  });

  it("is made once by two jobs at once, and a half-made one of a crash is never used", async () => {
    const setup = installing("twice");
    const { repository, spec } = await bench.repository(files);
    const draft = join(bench.folder, "home/setups/.draft-crashed/files/node_modules");
    mkdirSync(draft, { recursive: true });
    writeFileSync(join(draft, "half"), "");
    const job = { ...spec, setup, tasks: [task("one", [], "mkdir one; ls node_modules > one/x")] };
    const both = await Promise.all([runSpec(bench, job, repository), runSpec(bench, job, repository)]);
    expect(both.map(({ result }) => result.outcome)).toEqual(["succeeded", "succeeded"]);
    for (const { result } of both) expect(shown(repository, result)("one/x")).toBe("dep\n");
    expect(timesIn(...both.map((one) => one.events))).toBe(1);
    expect(both.flatMap((one) => events(one.events)).sort()).toEqual([false, true]);
    rmSync(join(bench.folder, "home/setups/.draft-crashed"), { recursive: true });
  });

  it("is brought in beside what a tree holds, never over it and never through a link", async () => {
    const made =
      "mkdir -p out/deep && echo setup > out/deep/file && echo setup > out/other && mkdir -p linked && echo setup > linked/x";
    const setup = { run: made, timeout_ms: 20_000 };
    const tasks: NamedTask[] = [
      {
        id: "first",
        writes: [{ directories: [""] }],
        steps: [
          command("rm -r out linked; mkdir -p out/deep one && echo tree > out/deep/file && ln -s src linked"),
          command("true"),
        ],
      },
      task("one", ["first"], "mkdir -p one && cat out/deep/file > one/saw; ls src out >> one/saw"),
    ];
    const { result, repository } = await runJobOn(bench, files, { setup, tasks });
    expect(result.tasks.map((each) => [each.state, each.reason?.message])).toEqual([
      ["succeeded", undefined],
      ["succeeded", undefined],
    ]);
    expect(shown(repository, result)("one/saw")).toBe("tree\nout:\ndeep\nother\n\nsrc:\na.js\n");
  });
});

async function specOf(repository: Awaited<ReturnType<typeof runJobOn>>["repository"]): Promise<JobSpec> {
  const { spec } = await bench.repository({ "x.txt": "" });
  const { resolveBase } = await import("../../src/workspace/base.ts");
  return { ...spec, base: (await resolveBase(repository, "HEAD", { includeDirty: false })).base };
}
