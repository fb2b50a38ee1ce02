import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCoordinator } from "../../src/coordinator/coordinator.ts";
import { Notices, withNotices } from "../../src/coordinator/gate/notices.ts";
import type { Fact, FactData, ThreadFact } from "../../src/protocol/event.ts";
import { taskId } from "../../src/protocol/ids.ts";
import type { NamedTask } from "../../src/protocol/job.ts";
import { openQueue } from "../../src/queue/open-queue.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

const secret = "correct-horse-battery-staple";
let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench({ secrets: { STAPLE: secret } });
});
afterAll(() => bench[Symbol.asyncDispose]());

/** Writes a file that somebody is asked about, then another of its own: two turns with a wait in between. */
function asking(id: string, needs: string[] = []): NamedTask {
  const write = (path: string) => ({ tool: "write", input: { file_path: path, content: `${id}\n` } });
  const turns = [{ calls: [write("shared.txt")] }, { calls: [write(`${id}/own.txt`)] }];
  const agent = { name: id, instructions: "", model: { provider: "scripted" as const, file: id, turns } };
  return { id, writes: [{ directories: [id] }], needs, steps: [{ kind: "agent", agent, prompt: "" }] };
}

async function start(tasks: NamedTask[]) {
  const { repository, spec } = await bench.repository({ "README.md": "x\n" });
  const heard: { run: string; text: string }[] = [];
  const runs = new Map<string, string>();
  const asked: FactData<"approval.requested">[] = [];
  let wake = () => {};
  const onFact = (run: string, fact: Fact) => {
    if (fact.type === "run.started") runs.set(run, fact.data.task_id);
    if (fact.type === "run.notified") heard.push({ run: runs.get(run) ?? "", text: fact.data.text });
    if (fact.type === "approval.requested") asked.push(fact.data);
    wake();
  };
  const permissions = { allow: [], deny: [], mode: "ask" as const };
  const { id, done } = await bench.coordinator.submit({ spec: { ...spec, tasks, permissions }, repository, onFact });
  const questions = (count: number) =>
    new Promise<void>((resolve) => {
      wake = () => asked.length >= count && resolve();
      wake();
    });
  const deny = (index: number) =>
    bench.coordinator.decideApproval(asked[index]?.approval_id ?? "", { decision: "deny" }, "tester");
  return { id, done, heard, questions, deny };
}

const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => "nothing",
    (cause) => `${cause.code}: ${cause.message}`,
  );

describe("what is said to a running job", () => {
  it("is read by the agents it is for with their next request, also by those that have yet to begin", async () => {
    const { coordinator } = bench;
    const { id, done, heard, questions, deny } = await start([asking("one"), asking("two", ["one"])]);
    await questions(1);
    expect(await coordinator.steer(id, { text: `use tabs; ${secret}` })).toEqual({ tasks: ["one", "two"] });
    expect(await coordinator.steer(id, { text: "hurry", task: taskId.parse("one") })).toEqual({ tasks: ["one"] });
    expect(await coordinator.steer(id, { text: "wait", task: taskId.parse("two") })).toEqual({ tasks: ["two"] });
    expect(await refusal(coordinator.steer(id, { text: "x", task: taskId.parse("three") }))).toBe(
      'usage: the job has no task "three"',
    );
    expect(heard).toEqual([]);
    await deny(0);
    await questions(2);
    expect(await refusal(coordinator.steer(id, { text: "x", task: taskId.parse("one") }))).toMatch(
      /^conflict: task one has ended/,
    );
    await deny(1);
    await done;
    const told = (run: string) => heard.filter((each) => each.run === run).map(({ text }) => text);
    expect(told("one")).toEqual([
      expect.stringMatching(/^Message from the operator: use tabs; /),
      "Message from the operator: hurry",
    ]);
    expect(told("two")).toEqual([expect.stringContaining("use tabs"), "Message from the operator: wait"]);
    expect(JSON.stringify(heard)).not.toContain(secret);
    expect(await refusal(coordinator.steer(id, { text: "x" }))).toMatch(/^conflict: job \S+ is over: /);
  });

  it("comes from another node as well, and a cancel beside it is not lost", async () => {
    const { clock, database } = bench.equipment;
    const queue = { name: "jobs" as const, database, clock, limits: { perNode: 9 }, isEmbedded: false };
    const jobs = await openQueue({ ...queue, node: "here" });
    bench.equipment.jobs = jobs;
    bench.coordinator.join({ isIdle: true });
    await using other = createCoordinator({ ...bench.equipment, jobs: await openQueue({ ...queue, node: "other" }) });
    const { id, done, heard, questions, deny } = await start([asking("one")]);
    await questions(1);
    await other.steer(id, { text: "from afar" });
    // What is asked here takes along what waits.
    await bench.coordinator.steer(id, { text: "from here" });
    await deny(0);
    await done;
    expect(heard.map(({ text }) => text)).toEqual([
      "Message from the operator: from afar",
      "Message from the operator: from here",
    ]);

    const second = await start([asking("one")]);
    await second.questions(1);
    await other.cancel(second.id);
    await bench.coordinator.steer(second.id, { text: "too late" });
    expect((await second.done).outcome).toBe("cancelled");
    await jobs.close();
  });
});

it("a run hears once, in order, what was said to its task or to all", () => {
  const notices = new Notices();
  const take = (run: string, task: string) => {
    const { texts, heard } = notices.news(run, task);
    expect(notices.news(run, task).texts).toEqual(texts);
    heard();
    return texts;
  };
  notices.tell(undefined, "all");
  notices.tell("a", "a1");
  expect(take("run 1", "a")).toEqual(["all", "a1"]);
  notices.tell("b", "b1");
  notices.tell("a", "a2");
  expect(take("run 1", "a")).toEqual(["a2"]);
  expect(take("run 1", "a")).toEqual([]);
  // Another attempt knows nothing of the first.
  expect(take("run 2", "a")).toEqual(["all", "a1", "a2"]);
});

it("room for what was said is reserved with the call that reads it, and what a stop leaves unsaid is kept", async () => {
  const notices = new Notices();
  notices.tell(undefined, "x".repeat(3_000));
  const asked: unknown[] = [];
  const logged: Fact[] = [];
  let stop: { code: string; message: string } | undefined = { code: "budget", message: "spent" };
  const gate = {
    said: () => {},
    admit: async (facts: readonly ThreadFact[]) => {
      asked.push(...facts.flatMap((fact) => (fact.type === "turn.started" ? [fact.data.ask] : [])));
      return stop ? { stop, notices: [] } : { notices: ["budget"] };
    },
  };
  const job = { notices, logRun: async (_run: unknown, facts: readonly Fact[]) => void logged.push(...facts) };
  const of = { run: { runId: "run 1" }, taskId: "a", job } as unknown as Parameters<typeof withNotices>[1];
  const asking: ThreadFact = {
    type: "turn.started",
    data: { turn: 1, model: "m", ask: { input_tokens: 100, max_tokens: 50 } },
  };
  expect(await withNotices(gate, of).admit([asking], undefined)).toEqual({ stop, notices: [] });
  expect(logged).toEqual([]);
  stop = undefined;
  const heard = await withNotices(gate, of).admit([asking], undefined);
  expect(heard.notices.map((text) => text.length)).toEqual([6, 3_000]);
  expect(logged).toHaveLength(1);
  await withNotices(gate, of).admit([asking], undefined);
  expect(asked).toEqual([1_108, 1_108, 100].map((input_tokens) => ({ input_tokens, max_tokens: 50 })));
});
