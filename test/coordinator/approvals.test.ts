import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCoordinator, type SubmittedJob } from "../../src/coordinator/coordinator.ts";
import { readTrace } from "../../src/db/read-trace.ts";
import type { ApprovalAnswer, ApprovalView } from "../../src/protocol/approval.ts";
import type { Fact, FactData } from "../../src/protocol/event.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { Result } from "../../src/protocol/result.ts";
import type { Step } from "../../src/protocol/step.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

interface Call {
  tool: string;
  input: Record<string, unknown>;
}

const writing = (file_path: string, content = `${file_path}\n`): Call => ({
  tool: "write",
  input: { file_path, content },
});
const submit: Call = { tool: "submit", input: { summary: "done" } };

/** A task that may write below its own name, and makes these calls, a turn each. */
function asking(id: string, ...calls: Call[]): NamedTask {
  const turns = [...calls, submit].map((call) => ({ calls: [call] }));
  const model = { provider: "scripted" as const, file: id, turns };
  const step: Step = { kind: "agent", agent: { name: id, instructions: "", model }, prompt: "" };
  return { id, writes: [{ directories: [id] }], steps: [step] };
}

type Asked = FactData<"approval.requested">;

interface Started extends SubmittedJob {
  facts: Fact[];
  /** The questions so far; `nth` waits until there are so many. */
  nth(count: number): Promise<Asked>;
  answer(asked: Asked, answer: ApprovalAnswer, by?: string): Promise<unknown>;
  show(path: string, result: Result): string;
}

const usualFiles: Readonly<Record<string, string>> = { "README.md": "x\n", "a.txt": "a\n" };

async function start(
  tasks: NamedTask[],
  more: Partial<JobSpec> = {},
  on: TestBench = bench,
  files = usualFiles,
): Promise<Started> {
  const { repository, spec } = await on.repository(files);
  const facts: Fact[] = [];
  const waiting: { count: number; resolve: (asked: Asked) => void }[] = [];
  const requested = () => facts.flatMap((fact) => (fact.type === "approval.requested" ? [fact.data] : []));
  const wake = () => {
    const asked = requested();
    for (const { count, resolve } of waiting) {
      const found = asked[count - 1];
      if (found) resolve(found);
    }
  };
  const onFact = (_: string, fact: Fact) => {
    facts.push(fact);
    wake();
  };
  const permissions = { allow: [], deny: [], mode: "ask" as const };
  const submitted = await on.coordinator.submit({ spec: { ...spec, tasks, permissions, ...more }, repository, onFact });
  return {
    ...submitted,
    facts,
    nth: (count) =>
      new Promise((resolve, reject) => {
        waiting.push({ count, resolve });
        wake();
        const missing = () => reject(new Error(`the job ended with ${requested().length} questions`));
        submitted.done.then(missing, missing);
      }),
    answer: ({ approval_id }, answer, by = "tester") => on.coordinator.decideApproval(approval_id, answer, by),
    show: (path, { result_commit }) =>
      execFileSync("git", ["--git-dir", repository.gitDir, "show", `${result_commit}:${path}`], {
        stdio: "pipe",
      }).toString(),
  };
}

function ofType<T extends Fact["type"]>(facts: readonly Fact[], type: T): FactData<T>[] {
  return facts.flatMap((fact) => (fact.type === type ? [fact.data as FactData<T>] : []));
}

describe("a call that no rule allows, where somebody is asked", () => {
  it("waits for the answer, is done when that allows it, and what runs is what was asked", async () => {
    const job = await start([asking("one", writing("other/new.txt", "as asked\n"))]);
    const asked = await job.nth(1);
    expect(asked).toMatchObject({ tool: "write", input: "other/new.txt", rule: "no rule" });
    const [pending] = (await bench.coordinator.approvals({ job: job.id, state: "pending", limit: 9 })).approvals;
    expect(pending).toMatchObject({ id: asked.approval_id, task_id: "one", state: "pending", remember: false });
    expect(await bench.coordinator.run(pending?.run_id ?? "")).toMatchObject({ state: "waiting" });
    expect(await job.answer(asked, { decision: "allow" }, "ops")).toMatchObject({ kind: "decided" });
    const result = await job.done;
    expect(result).toMatchObject({ outcome: "succeeded", denials: [] });
    expect(job.show("other/new.txt", result)).toBe("as asked\n");
    const types = job.facts.map(({ type }) => type).filter((type) => /approval|intended/.test(type));
    expect(types.slice(0, 3)).toEqual(["approval.requested", "approval.resolved", "tool.intended"]);
    expect(ofType(job.facts, "tool.intended")[0]?.rule).toBe(`approval ${asked.approval_id}`);
    expect(await bench.coordinator.approval(asked.approval_id)).toMatchObject({ state: "allowed", decided_by: "ops" });
    const spans = await readTrace(job.id, bench.equipment.database);
    const wait = spans.find((span) => span.attributes["sheaf.queue.wait_reason"] === "approval");
    expect(spans.find((span) => span.span_id === wait?.parent_span_id)?.name).toBe("invoke_agent one");
  });

  it("is a denial with the note when the answer denies it; the agent goes on", async () => {
    const job = await start([asking("one", writing("other/new.txt"), writing("one/own.txt"))]);
    await job.answer(await job.nth(1), { decision: "deny", note: "stay in your folder" });
    const result = await job.done;
    expect(result).toMatchObject({
      outcome: "succeeded",
      denials: [{ task: "one", tool: "write", input: "other/new.txt", rule: "no rule" }],
    });
    expect(result.denials[0]?.reason).toContain("tester denied it: stay in your folder");
    expect(job.show("one/own.txt", result)).toBe("one/own.txt\n");
    expect(() => job.show("other/new.txt", result)).toThrow();
  });

  it("blocks the task when nothing was delivered but the denial", async () => {
    const job = await start([asking("one", writing("other/new.txt"))]);
    await job.answer(await job.nth(1), { decision: "deny" });
    expect(await job.done).toMatchObject({ outcome: "blocked", exit_code: 13 });
  });

  it("is never asked about what a rule denies, what is protected, or where nobody is to be asked", async () => {
    const calls = [writing("secret/a.txt"), writing(".github/workflows/ci.yml"), writing("../out.txt")];
    const deny = [{ id: "Edit(secret/**)", tool: "Edit" as const, paths: { glob: "secret/**" } }];
    const permissions = { allow: [], deny, mode: "ask" as const };
    const denied = await start([asking("one", ...calls)], { permissions });
    expect((await denied.done).denials.map(({ rule }) => rule)).toEqual(["Edit(secret/**)", "protected", "outside"]);
    const ask = [{ id: "Edit(a.txt)", tool: "Edit" as const, paths: { glob: "/a.txt" } }];
    const silent = await start([asking("one", writing("a.txt"))], {
      permissions: { allow: ask, ask, deny: [], mode: "deny" },
    });
    const { denials, outcome } = await silent.done;
    expect([outcome, denials[0]?.rule]).toEqual(["blocked", "Edit(a.txt)"]);
    expect(denials[0]?.reason).toContain("asks nobody");
    for (const { facts } of [denied, silent]) expect(ofType(facts, "approval.requested")).toEqual([]);
  });

  it("may be a read: the agent sees the file that somebody let it see, and no other", async () => {
    const ask = [{ id: "Read(*.txt)", tool: "Read" as const, paths: { glob: "*.txt" } }];
    const permissions = { allow: [], ask, deny: [], mode: "ask" as const };
    const reading = (file_path: string): Call => ({ tool: "read", input: { file_path } });
    const job = await start([asking("one", reading("a.txt"), reading("b.txt"))], { permissions }, bench, {
      "a.txt": "shown\n",
      "b.txt": "hidden\n",
    });
    await job.answer(await job.nth(1), { decision: "allow" });
    await job.answer(await job.nth(2), { decision: "deny" });
    const { denials } = await job.done;
    expect(denials).toMatchObject([{ tool: "read", input: "b.txt", rule: "Read(*.txt)" }]);
    const reads = ofType(job.facts, "tool.finished").filter(({ tool }) => tool === "read");
    expect(reads).toMatchObject([{ is_error: false, pointer: { path: "a.txt" } }]);
  });

  it("keeps from a recipe what a rule asks about: nobody is asked for every file that it reads", async () => {
    const recipe = { provider: "recipe" as const, recipe: { name: "node-protocol" as const } };
    const agent = { name: "node-protocol", instructions: "", model: recipe };
    const ask = [{ id: "Read(a.js)", tool: "Read" as const, paths: { glob: "a.js" } }];
    const files = { "a.js": "require('fs');\n", "b.js": "require('fs');\n" };
    const each: Step[] = [{ kind: "agent", agent, prompt: "" }];
    const permissions = { allow: [], ask, deny: [], mode: "ask" as const };
    const job = await start([], { each, split: { by: "none" }, permissions }, bench, files);
    const result = await job.done;
    expect([job.show("a.js", result), job.show("b.js", result)]).toEqual([files["a.js"], "require('node:fs');\n"]);
    expect(result.denials).toMatchObject([{ tool: "read", input: "a.js", rule: "Read(a.js)" }]);
  });

  it("shows every path that an allowance would allow", async () => {
    const files = [
      ["README.md", "x\n"],
      ["a.txt", "a\n"],
    ].map(([file_path, text = ""]) => ({
      file_path,
      expect_sha256: createHash("sha256").update(text).digest("hex"),
      edits: [{ start: 0, end: 0, text: "new\n" }],
    }));
    const job = await start([asking("one", { tool: "apply_edits", input: { files } })]);
    const asked = await job.nth(1);
    expect(asked.input).toBe("README.md\na.txt");
    expect(asked.suggestion).toBeUndefined();
    await job.answer(asked, { decision: "deny" });
    await job.done;
  });
});

describe("what looks like a secret", () => {
  const bash = (command: string): Call => ({ tool: "bash", input: { command } });

  it("is never part of a question: what stands around it would be allowed unseen", async () => {
    await using guarded = await openTestBench({ secrets: { KEY: "hunter2hunter2" } });
    const hiding = [
      bash("echo -----BEGIN PRIVATE KEY-----\necho evil"),
      bash("echo https://x;echo$IFS-evil;echo$IFS-@example.com"),
      bash("echo hunter2hunter2"),
      // The rule that would allow it holds the words as the shell joins them.
      bash("echo ghp_'0123456789abcdef'0123456789abcdef"),
      writing("x/-----BEGIN PRIVATE KEY-----evil.ts"),
    ];
    const job = await start([asking("one", ...hiding)], {}, guarded);
    const { denials } = await job.done;
    expect(denials).toHaveLength(hiding.length);
    for (const { reason } of denials) expect(reason).toContain("it holds what looks like a secret");
    expect(ofType(job.facts, "approval.requested")).toEqual([]);
    expect((await guarded.coordinator.approvals({ job: job.id, limit: 9 })).approvals).toEqual([]);
  });

  it("is hidden in a stored question's rule and reason, and in the note of its answer", async () => {
    await using guarded = await openTestBench({ secrets: { KEY: "hunter2hunter2" } });
    const ask = [{ id: "Bash(echo hunter2hunter2:*)", tool: "Bash" as const, words: ["echo"] }];
    const job = await start(
      [asking("one", bash("echo one"))],
      { permissions: { allow: [], deny: [], ask, mode: "ask" } },
      guarded,
    );
    const asked = await job.nth(1);
    await job.answer(asked, { decision: "deny", note: "not with hunter2hunter2" });
    await job.done;
    const stored = await guarded.coordinator.approval(asked.approval_id);
    expect(stored).toMatchObject({ state: "denied", note: "not with [redacted:secret]" });
    expect(stored?.rule).toBe("Bash(echo [redacted:secret]:*)");
    expect(JSON.stringify([stored, job.facts.filter(({ type }) => type.startsWith("approval"))])).not.toContain(
      "hunter2",
    );
  });
});

describe("an answer", () => {
  it("that is remembered holds for the same path in all tasks of the job, and for nothing else", async () => {
    const job = await start(
      [
        asking("one", writing("x/same.txt", "1\n"), writing("x/same.txt", "2\n"), writing("x/other.txt")),
        { ...asking("two", writing("x/same.txt", "3\n")), needs: ["one"] },
      ],
      {},
    );
    const first = await job.nth(1);
    expect(first.suggestion).toBe("Edit(/x/same.txt)");
    await job.answer(first, { decision: "allow", remember: true });
    const second = await job.nth(2);
    expect(second.input).toBe("x/other.txt");
    await job.answer(second, { decision: "deny", remember: true });
    const result = await job.done;
    expect(result.tasks.map(({ state }) => state)).toEqual(["succeeded", "succeeded"]);
    expect(job.show("x/same.txt", result)).toBe("3\n");
    expect(ofType(job.facts, "approval.requested")).toHaveLength(2);
    const rules = ofType(job.facts, "tool.intended").flatMap(({ tool, rule }) => (tool === "write" ? [rule] : []));
    expect(rules).toEqual(Array(3).fill(`approval ${first.approval_id}`));
  });

  it("that is remembered settles the same question of others that wait", async () => {
    const tasks = ["one", "two", "three"].map((id) => asking(id, writing("x/same.txt", "same\n")));
    const job = await start(tasks, { limits: { time_ms: 60_000, idle_ms: 30_000, concurrency: 3 } });
    const asked = [await job.nth(1), await job.nth(2), await job.nth(3)];
    await job.answer(asked[1] as Asked, { decision: "allow", remember: true }, "ops");
    expect(await job.done).toMatchObject({ outcome: "succeeded" });
    const settled = ofType(job.facts, "approval.resolved");
    expect(settled.map(({ decided_by, state }) => [decided_by, state])).toEqual(Array(3).fill(["ops", "allowed"]));
  });

  it("that is remembered for a command holds for its very words, and what was asked is what runs", async () => {
    const bash = (command: string): Call => ({ tool: "bash", input: { command } });
    const job = await start([asking("one", bash("echo one two"), bash("echo one  two"), bash("echo one two three"))]);
    const first = await job.nth(1);
    expect(first).toMatchObject({ input: "echo one two", suggestion: "Bash(echo one two)" });
    await job.answer(first, { decision: "allow", remember: true });
    const second = await job.nth(2);
    expect(second.input).toBe("echo one two three");
    await job.answer(second, { decision: "deny" });
    await job.done;
    const ran = ofType(job.facts, "tool.finished").flatMap(({ tool, receipt }) => (tool === "bash" ? [receipt] : []));
    expect(ran.map((receipt) => receipt?.command)).toEqual(["echo one two", "echo one  two"]);
  });

  it("that another node of the same database is given reaches the run within a second or so", async () => {
    await using other = createCoordinator(bench.equipment);
    const job = await start([asking("one", writing("x/a.txt"))]);
    const { approval_id: id } = await job.nth(1);
    expect(await other.decideApproval(id, { decision: "allow" }, "elsewhere")).toMatchObject({ kind: "decided" });
    expect(await job.done).toMatchObject({ outcome: "succeeded" });
    expect(ofType(job.facts, "approval.resolved")).toMatchObject([{ decided_by: "elsewhere" }]);
  });

  it("counts when it is the first of twenty at once, and the others learn whose was", async () => {
    const job = await start([asking("one", writing("x/a.txt"), writing("one/b.txt"))]);
    const asked = await job.nth(1);
    const decisions = Array.from({ length: 20 }, (_, nth) =>
      bench.coordinator.decideApproval(asked.approval_id, { decision: nth % 2 ? "allow" : "deny" }, `by-${nth}`),
    );
    const decided = await Promise.all(decisions);
    expect(decided.filter(({ kind }) => kind === "decided")).toHaveLength(1);
    const approvals = decided.flatMap((each) => (each.kind === "unknown" ? [] : [each.approval]));
    expect(new Set(approvals.map(({ decided_by, state }) => `${decided_by} ${state}`)).size).toBe(1);
    const { denials } = await job.done;
    expect(denials).toHaveLength(approvals[0]?.state === "denied" ? 1 : 0);
  });

  it("is unknown for ids that there are not, whatever they look like", async () => {
    for (const id of ["", "nothing", "00000000-0000-4000-8000-000000000000", "' or true --", "%"]) {
      expect(await bench.coordinator.decideApproval(id, { decision: "allow" }, "x")).toEqual({ kind: "unknown" });
      expect(await bench.coordinator.approval(id)).toBeUndefined();
    }
    expect(await bench.coordinator.approvals({ prefix: "%", limit: 5 })).toEqual({ approvals: [] });
    await expect(bench.coordinator.approvals({ after: "no cursor", limit: 5 })).rejects.toMatchObject({
      code: "usage",
    });
  });
});

describe("a question", () => {
  it("that nobody answers in time is a denial that says what to add, and no answer counts after it", async () => {
    await using quick = await openTestBench();
    Object.assign(quick.equipment.ceiling, { approvalMs: 300 });
    const job = await start([asking("one", writing("x/a.txt"))], {}, quick);
    const asked = await job.nth(1);
    const result = await job.done;
    expect(result).toMatchObject({ outcome: "blocked", exit_code: 13 });
    expect(result.denials[0]?.reason).toContain("add Edit(/x/a.txt) to permissions.allow");
    const late = await quick.coordinator.decideApproval(asked.approval_id, { decision: "allow" }, "late");
    expect(late).toMatchObject({ kind: "settled", approval: { state: "expired" } });
  });

  it("stops no other task, not even where only one may work, and no idle limit runs meanwhile", async () => {
    const tasks = [asking("one", writing("x/a.txt")), asking("two", writing("two/b.txt"))];
    const limits = { time_ms: 60_000, idle_ms: 1_500, concurrency: 1 };
    const job = await start(tasks, { limits });
    const asked = await job.nth(1);
    const isTwoDone = () => ofType(job.facts, "task.finished").some(({ task_id }) => task_id === "two");
    while (!isTwoDone()) await new Promise(setImmediate);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await job.answer(asked, { decision: "allow" });
    expect(await job.done).toMatchObject({ outcome: "succeeded" });
  });

  it("holds no thread: twenty wait, and another task is done in the only one", async () => {
    await using narrow = await openTestBench({ threads: 1 });
    const waiting = Array.from({ length: 20 }, (_, nth) => asking(`w${nth}`, writing(`x/${nth}.txt`)));
    const limits = { time_ms: 60_000, idle_ms: 30_000, concurrency: 1 };
    const job = await start([...waiting, asking("last", writing("last/a.txt"))], { limits }, narrow);
    await job.nth(20);
    while (ofType(job.facts, "task.finished").length === 0) await new Promise(setImmediate);
    expect(ofType(job.facts, "task.finished")).toMatchObject([{ task_id: "last", state: "succeeded" }]);
    const { approvals } = await narrow.coordinator.approvals({ job: job.id, state: "pending", limit: 200 });
    expect(approvals).toHaveLength(20);
    await narrow.coordinator.cancel(job.id);
    expect(await job.done).toMatchObject({ outcome: "cancelled" });
    const after = await narrow.coordinator.approvals({ job: job.id, limit: 200 });
    expect(new Set(after.approvals.map(({ state }) => state))).toEqual(new Set(["withdrawn"]));
  });

  it("of a job that is cancelled is withdrawn, and the job ends at once", async () => {
    const job = await start([asking("one", writing("x/a.txt"))]);
    const asked = await job.nth(1);
    await bench.coordinator.cancel(job.id);
    expect(await job.done).toMatchObject({ outcome: "cancelled" });
    const view: ApprovalView | undefined = await bench.coordinator.approval(asked.approval_id);
    expect(view?.state).toBe("withdrawn");
    expect(ofType(job.facts, "approval.resolved")).toMatchObject([{ state: "withdrawn" }]);
  });
});
