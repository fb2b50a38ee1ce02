import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { submit } from "../../src/coordinator/submit.ts";
import type { JobSpec, NamedTask, Publish } from "../../src/protocol/job.ts";
import type { Result } from "../../src/protocol/result.ts";
import type { CommandStep } from "../../src/protocol/step.ts";
import type { Repository } from "../../src/workspace/repository.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import { commandCheck, newBranch } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

type Branch = Extract<Publish, { kind: "branch" }>;
const branch = (more: Partial<Branch>): Branch => ({ ...(newBranch("bot") as Branch), ...more });
const command = (run: string): CommandStep => ({ kind: "command", run, may_fail: false, timeout_ms: 20_000 });
const writing = (
  id: string,
  run = `mkdir -p ${id} && echo ${id} > ${id}/out.txt`,
  needs: string[] = [],
): NamedTask => ({
  id,
  needs,
  writes: [{ directories: [id] }],
  steps: [command(run)],
});

/** Two tasks may edit that file; what they do to it is merged. */
const permissions: JobSpec["permissions"] = {
  allow: [{ id: "Edit(shared.txt)", tool: "Edit", paths: { glob: "/shared.txt" } }],
  deny: [],
};

interface Meanwhile {
  /** Done in the user's repository when the publishing is announced, or before the job is submitted. */
  git: (...args: string[]) => string;
  write: (path: string, text: string) => void;
}

/** A job on a user's repository of its own, in which something may happen before and meanwhile. */
async function run(
  more: Partial<JobSpec>,
  happens: { before?: (user: Meanwhile) => void; meanwhile?: (user: Meanwhile, time: number) => void } = {},
) {
  const { repository, spec } = await bench.repository({
    "shared.txt": "one\ntwo\nthree\nfour\nfive\n",
    "README.md": "x\n",
  });
  const top = repository.user.top;
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@localhost", ...args], { cwd: top, stdio: "pipe" })
      .toString()
      .trim();
  const user = { git, write: (path: string, text: string) => writeFileSync(join(top, path), text) };
  happens.before?.(user);
  let times = 0;
  const submitted = await submit(
    {
      spec: { ...spec, permissions, tasks: [writing("one"), writing("two")], ...more },
      repository,
      onFact(_, fact) {
        const isTime = fact.type === "publish.intended" || (times > 0 && fact.type === "check.started");
        if (isTime) happens.meanwhile?.(user, ++times);
      },
    },
    bench.equipment,
  );
  if (!("started" in submitted)) throw new Error("not started");
  return { result: await submitted.started.done, git, user, repository };
}

const commitOn = (name: string, path: string, text: string) => (user: Meanwhile) => {
  user.git("checkout", "-q", "-B", name);
  user.write(path, text);
  user.git("add", "-A");
  user.git("commit", "-q", "-m", `${name}: ${path}`);
  user.git("checkout", "-q", "main");
};
const files = (git: Meanwhile["git"], name = "bot") => git("ls-tree", "-r", "--name-only", name).split("\n").sort();

describe("a branch that is there already", () => {
  const before = commitOn("bot", "theirs.txt", "theirs\n");

  it("is refused before anything runs where it was to be new", async () => {
    await expect(run({ publish: branch({}) }, { before })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(/branch bot is at/),
      remedy: expect.stringMatching(/existing: skip, replace or update/),
    });
  });

  it("and came meanwhile is left, and the result is kept as a patch", async () => {
    const { result, git } = await run({ publish: branch({}) }, { meanwhile: before });
    expect(result).toMatchObject({
      outcome: "failed",
      exit_code: 1,
      reason: { code: "conflict" },
      tasks: [{ landed: true }, { landed: true }],
    });
    expect(result.result_commit).toMatch(/^[0-9a-f]{40}$/);
    const file = / or (\S+)$/.exec(result.reason?.remedy ?? "")?.[1] ?? "";
    expect(readFileSync(file, "utf8")).toContain("+++ b/one/out.txt");
    expect(files(git)).not.toContain("one/out.txt");
  });

  it("is left alone by skip, and the job is none the worse", async () => {
    const { result, git } = await run({ publish: branch({ existing: "skip" }) }, { before });
    expect(result).toMatchObject({ outcome: "succeeded", exit_code: 0 });
    expect(result.published).toBeUndefined();
    expect(files(git)).toEqual(["README.md", "shared.txt", "theirs.txt"]);
  });

  it("is put in place of by replace, from wherever it is by then", async () => {
    const { result, git } = await run(
      { publish: branch({ existing: "replace" }) },
      { before, meanwhile: commitOn("bot", "more.txt", "more\n") },
    );
    expect(result).toMatchObject({ outcome: "succeeded", published: { branch: "bot" } });
    expect(files(git)).toEqual(["README.md", "one/out.txt", "shared.txt", "two/out.txt"]);
    expect(git("rev-parse", "bot")).toBe(result.result_commit);
  });

  it("is added to by update, and what it held stays; the new tree is checked again", async () => {
    const check = commandCheck("test -e README.md", { expect: "pass" });
    const { result, git } = await run({ publish: branch({ existing: "update" }), checks: [check] }, { before });
    expect(result).toMatchObject({ outcome: "succeeded", published: { branch: "bot" } });
    expect(result.checks.map((one) => one.state)).toEqual(["passed", "passed"]);
    expect(files(git)).toEqual(["README.md", "one/out.txt", "shared.txt", "theirs.txt", "two/out.txt"]);
    expect(git("log", "--format=%s", "bot")).toBe("job\nbot: theirs.txt\nbase");
  });

  it("that holds the change already is left as it is by update", async () => {
    const already = (user: Meanwhile) => {
      for (const id of ["one", "two"]) {
        execFileSync("mkdir", ["-p", join(user.git("rev-parse", "--show-toplevel"), id)]);
        user.write(`${id}/out.txt`, `${id}\n`);
      }
      commitOn("bot", "theirs.txt", "theirs\n")(user);
    };
    let tip = "";
    const { result, git } = await run(
      { publish: branch({ existing: "update" }) },
      {
        before: (user) => {
          already(user);
          tip = user.git("rev-parse", "bot");
        },
      },
    );
    expect(result).toMatchObject({ outcome: "succeeded", published: { branch: "bot" } });
    expect(git("rev-parse", "bot")).toBe(tip);
  });

  it("that the change conflicts with, or is red with, fails and stays as it was", async () => {
    const tasks = [writing("one", "sed -i s/three/ours/ shared.txt")];
    const clash = commitOn("bot", "shared.txt", "one\ntwo\ntheirs\nfour\nfive\n");
    const conflict = await run({ tasks, publish: branch({ existing: "update" }) }, { before: clash });
    expect(conflict.result).toMatchObject({
      outcome: "failed",
      reason: { code: "publish_conflict", message: expect.stringMatching(/shared\.txt/) },
    });
    expect(conflict.result.reason?.log).toContain("theirs");
    expect(conflict.git("log", "--format=%s", "bot")).toBe("bot: shared.txt\nbase");
    const check = commandCheck("! (test -e theirs.txt && test -e one/out.txt)", { name: "not both" });
    const red = await run({ checks: [check], publish: branch({ existing: "update" }) }, { before });
    expect(red.result).toMatchObject({ outcome: "failed", reason: { code: "check_failed", check: "not both" } });
    expect(red.result.checks.map((one) => one.state)).toEqual(["passed", "failed"]);
    expect(files(red.git)).not.toContain("one/out.txt");
  });

  it("is not added to where only single tasks were checked: nobody has seen the tree", async () => {
    const check = commandCheck("true", { at: "task" });
    const { result, git } = await run({ checks: [check], publish: branch({ existing: "update" }) }, { before });
    expect(result).toMatchObject({ outcome: "failed", exit_code: 1, reason: { code: "unchecked" } });
    expect(files(git)).not.toContain("one/out.txt");
  });

  it("that somebody is working on is refused before anything runs where it would be moved", async () => {
    const here = (user: Meanwhile) => void user.git("checkout", "-q", "-b", "bot");
    await expect(run({ publish: branch({ existing: "replace" }) }, { before: here })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(/checked out/),
    });
  });
});

describe("a base that moved meanwhile", () => {
  const moves = (path: string, text: string) => (user: Meanwhile, time: number) => {
    if (time > 1) return;
    user.write(path, text);
    user.git("add", "-A");
    user.git("commit", "-q", "-m", "meanwhile");
  };

  it("is kept to by keep", async () => {
    const { result, git } = await run({ publish: branch({}) }, { meanwhile: moves("new.txt", "new\n") });
    expect(result).toMatchObject({ outcome: "succeeded", published: { branch: "bot" } });
    expect(git("merge-base", "bot", "main")).toBe(result.base_commit);
    expect(files(git)).not.toContain("new.txt");
  });

  it("is the new ground of recheck, once the checks are green there", async () => {
    const check = commandCheck("test -e README.md", { expect: "pass" });
    const publish = branch({ on_base_moved: "recheck" });
    const { result, git } = await run({ publish, checks: [check] }, { meanwhile: moves("new.txt", "new\n") });
    expect(result).toMatchObject({ outcome: "succeeded", published: { branch: "bot" } });
    expect(result.checks.map((one) => one.state)).toEqual(["passed", "passed"]);
    expect(git("rev-parse", "bot^")).toBe(git("rev-parse", "main"));
    expect(files(git)).toEqual(["README.md", "new.txt", "one/out.txt", "shared.txt", "two/out.txt"]);
  });

  it("costs the publishing where the change is red or in conflict on it", async () => {
    const check = commandCheck("! test -e new.txt || ! test -e one/out.txt", { name: "not both" });
    const publish = branch({ on_base_moved: "recheck" });
    const red = await run({ publish, checks: [check] }, { meanwhile: moves("new.txt", "new\n") });
    expect(red.result).toMatchObject({ outcome: "failed", reason: { code: "check_failed", check: "not both" } });
    const tasks = [writing("one", "sed -i s/three/ours/ shared.txt")];
    const clash = await run({ publish, tasks }, { meanwhile: moves("shared.txt", "one\ntwo\ntheirs\nfour\nfive\n") });
    expect(clash.result).toMatchObject({ outcome: "failed", reason: { code: "publish_conflict" } });
    for (const { git } of [red, clash]) expect(git("branch", "--list", "bot")).toBe("");
  });

  it("is followed when it moves again while the checks run, and given up when it never rests", async () => {
    const check = commandCheck("test -e README.md", { expect: "pass" });
    const publish = branch({ on_base_moved: "recheck" });
    const again = (most: number) => (user: Meanwhile, time: number) => {
      if (time <= most) moves(`new-${time}.txt`, "new\n")(user, 1);
    };
    const twice = await run({ publish, checks: [check] }, { meanwhile: again(2) });
    expect(twice.result).toMatchObject({ outcome: "succeeded", published: { branch: "bot" } });
    expect(files(twice.git)).toContain("new-2.txt");
    const restless = await run({ publish, checks: [check] }, { meanwhile: again(99) });
    expect(restless.result).toMatchObject({ outcome: "failed", reason: { code: "moved" } });
  });

  it("fails the publishing where that is asked, and stands still in the eyes of a job that took dirty files in", async () => {
    const publish = branch({ on_base_moved: "fail" });
    const { result, git } = await run({ publish }, { meanwhile: moves("new.txt", "new\n") });
    expect(result).toMatchObject({
      outcome: "failed",
      reason: { code: "base_moved" },
      tasks: [{ landed: true }, { landed: true }],
    });
    expect(git("branch", "--list", "bot")).toBe("");
    const quiet = await run({ publish });
    expect(quiet.result).toMatchObject({ outcome: "succeeded", published: { branch: "bot" } });
  });
});

describe("a history of one commit a task", () => {
  it("is linear, in task order, and its last tree is the one that was checked", async () => {
    const tasks = [
      writing("one", "mkdir one && echo 1 > one/x && sed -i s/one/ONE/ shared.txt"),
      writing("two", "mkdir two && echo 2 > two/x && sed -i s/five/FIVE/ shared.txt"),
      writing("nothing", "true"),
      writing("three", "mkdir three && cat shared.txt > three/x && sed -i s/three/THREE/ shared.txt", ["one", "two"]),
    ];
    const { result, git, repository } = await run({ tasks, publish: branch({ group_by: "task" }) });
    expect(result).toMatchObject({ outcome: "succeeded", published: { branch: "bot" } });
    expect(git("log", "--format=%s", "bot")).toBe("three\ntwo\none\nbase");
    expect(git("log", "--merges", "--format=%s", "bot")).toBe("");
    expect(git("rev-parse", "bot^{tree}")).toBe(result.result_tree);
    expect(git("show", "--name-only", "--format=", "bot~1").split("\n")).toEqual(["shared.txt", "two/x"]);
    expect(git("log", "-1", "--format=%B", "bot~2")).toContain("Sheaf-Task: one");
    expectKept(repository, result);
  });

  it("goes onto a branch that is there, or onto a base that moved, too", async () => {
    const before = commitOn("bot", "theirs.txt", "theirs\n");
    const { git } = await run({ publish: branch({ group_by: "task", existing: "update" }) }, { before });
    expect(git("log", "--format=%s", "bot")).toBe("two\none\nbot: theirs.txt\nbase");
    expect(files(git)).toContain("theirs.txt");
  });
});

/** What was published stays in our own repository too. */
function expectKept({ gitDir }: Repository, { job }: Result): void {
  const ref = execFileSync("git", ["--git-dir", gitDir, "rev-parse", "--verify", `refs/sheaf/${job.id}/published`]);
  expect(ref.toString()).toMatch(/^[0-9a-f]{40}/);
  expect(existsSync(gitDir)).toBe(true);
}
