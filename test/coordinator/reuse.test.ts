import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRule } from "../../src/permission/rule.ts";
import type { Fact } from "../../src/protocol/event.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import type { Repository } from "../../src/workspace/repository.ts";
import { openTestBench, type TestBench, writingTask } from "../support/equipment.ts";
import { commandCheck } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

async function anew() {
  const { repository, spec } = await bench.repository({ "README.md": "x\n" });
  const { fresh: _, ...empty } = spec;
  return { repository, empty };
}

async function run(spec: JobSpec, repository: Repository) {
  const { top } = repository.user;
  const { openRepository } = await import("../../src/workspace/repository.ts");
  const again = await openRepository(top, { home: bench.equipment.home, git: bench.equipment.git });
  const result = await (await bench.coordinator.submit({ spec, repository: again })).done;
  return { result, told: result.tasks.map((task) => [task.id, task.state, task.reused, task.attempts, task.landed]) };
}

describe("a task that was done before", () => {
  it("is reused by the same job again, by one of which another part was changed, and not with fresh", async () => {
    const { repository, empty } = await anew();
    const spec: JobSpec = { ...empty, tasks: [writingTask("one"), writingTask("two")] };
    const first = await run(spec, repository);
    expect(first.told).toEqual([
      ["one", "succeeded", false, 1, true],
      ["two", "succeeded", false, 1, true],
    ]);

    const again = await run(spec, repository);
    expect(again.told).toEqual([
      ["one", "succeeded", true, 0, true],
      ["two", "succeeded", true, 0, true],
    ]);
    expect(again.result.tasks.map((task) => task.reused_from)).toEqual([
      { job: first.result.job.handle, task: "one" },
      { job: first.result.job.handle, task: "two" },
    ]);
    expect(again.result).toMatchObject({ outcome: "succeeded", result_tree: first.result.result_tree });

    // The source is told, not the way that it came.
    const third = await run({ ...spec, name: "otherwise", tasks: [...spec.tasks, writingTask("three")] }, repository);
    expect(third.told).toEqual([
      ["one", "succeeded", true, 0, true],
      ["two", "succeeded", true, 0, true],
      ["three", "succeeded", false, 1, true],
    ]);
    expect(third.result.tasks[0]?.reused_from).toEqual({ job: first.result.job.handle, task: "one" });

    expect((await run({ ...spec, fresh: true }, repository)).told.map(([, , isReused]) => isReused)).toEqual([
      false,
      false,
    ]);
    expect((await run({ ...spec, fresh: ["two"] }, repository)).told.map(([, , isReused]) => isReused)).toEqual([
      true,
      false,
    ]);
  });

  it("is done again where its prompt, its files, its rules or its checks are others, or it had failed", async () => {
    const { repository, empty } = await anew();
    const [task] = [writingTask("one")];
    const spec: JobSpec = { ...empty, tasks: [task] };
    await run(spec, repository);
    const isReused = async (more: Partial<JobSpec>) => (await run({ ...spec, ...more }, repository)).told[0]?.[2];
    expect(await isReused({})).toBe(true);
    expect(await isReused({ tasks: [writingTask("one", { prompt: "another" })] })).toBe(false);
    expect(await isReused({ permissions: { allow: [], deny: [parseRule("Edit(two/**)")] } })).toBe(false);
    const never = commandCheck("exit 1", { at: "task", expect: "pass" });
    expect(await isReused({ checks: [never] })).toBe(false);
    // It failed: its work is not taken for done.
    expect(await isReused({ checks: [never] })).toBe(false);
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@localhost", ...args], { cwd: repository.user.top });
    git("commit", "-q", "--allow-empty", "-m", "the same tree");
    const commit = git("rev-parse", "HEAD").toString().trim();
    expect(await isReused({ base: { ...spec.base, commit } })).toBe(true);
  });

  it("is found behind a newer one whose work is not here", async () => {
    const { repository, empty } = await anew();
    const spec: JobSpec = { ...empty, tasks: [writingTask("one")] };
    const first = await run(spec, repository);
    const newer = await run({ ...spec, fresh: true }, repository);
    // As where another node did it, whose objects are in its own folder.
    await bench.equipment.database.orm.execute(
      `update sheaf.tasks set finished = jsonb_set(finished::jsonb, '{record,commit}', '"${"0".repeat(40)}"')::json
       where job_id = '${newer.result.job.id}'`,
    );
    const { result } = await run(spec, repository);
    expect(result.tasks.map((task) => task.reused_from)).toEqual([{ job: first.result.job.handle, task: "one" }]);
  });

  it("is done again where a person was asked about it: an answer is for the job that asked", async () => {
    const { repository, empty } = await anew();
    const [asks, quiet] = [writingTask("asks"), writingTask("quiet")];
    const permissions = { allow: [], ask: [parseRule("Edit(asks/**)")], deny: [], mode: "ask" as const };
    const spec: JobSpec = { ...empty, tasks: [asks, quiet], permissions };
    const runAndAnswer = async (decision: "allow" | "deny") => {
      const { openRepository } = await import("../../src/workspace/repository.ts");
      const { home, git } = bench.equipment;
      const again = await openRepository(repository.user.top, { home, git });
      const questions: string[] = [];
      const onFact = (_: string, fact: Fact) => {
        if (fact.type !== "approval.requested") return;
        questions.push(fact.data.input);
        void bench.coordinator.decideApproval(fact.data.approval_id, { decision }, "tester");
      };
      const { tasks } = await (await bench.coordinator.submit({ spec, repository: again, onFact })).done;
      return { questions: questions.length, told: tasks.map((task) => [task.id, task.state, task.reused]) };
    };
    const first = await runAndAnswer("allow");
    expect(first).toEqual({
      questions: 1,
      told: [
        ["asks", "succeeded", false],
        ["quiet", "succeeded", false],
      ],
    });
    const again = await runAndAnswer("deny");
    expect(again.questions).toBe(1);
    expect(again.told).toEqual([
      ["asks", expect.not.stringMatching("succeeded"), false],
      ["quiet", "succeeded", true],
    ]);
  });
});
