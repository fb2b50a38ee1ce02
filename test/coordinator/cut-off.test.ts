import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spentIn } from "../../src/coordinator/result/result-usage.ts";
import { readTrace } from "../../src/db/read-trace.ts";
import { parseRule } from "../../src/permission/rule.ts";
import type { Event } from "../../src/protocol/event.ts";
import type { Result } from "../../src/protocol/result.ts";
import { eventsOf } from "../support/bench-job.ts";
import type { Asked } from "../support/messages/reply.ts";
import { openThinkingBench, type ThinkingBench, thinkingTask } from "../support/thinking-job.ts";

const write = (file_path: string) => ({ name: "write", input: { file_path, content: "new\n" } });
const submit = [{ name: "submit", input: { summary: "done" } }];
const scripts: Readonly<Record<string, { name: string; input: unknown }[][]>> = {
  think: [[write("think/a.txt")], [write("think/b.txt")], submit],
  ask: [[write("ask/a.txt")], [write("asked/b.txt")], submit],
  command: [[{ name: "bash", input: { command: "sleep 1; echo once >> command/a.txt" } }], submit],
  poison: [[write("poison/a.txt")], submit],
};
const prompts = { think: "think hard", ask: "ask somebody", command: "command it", poison: "die: answered" };
const ids = Object.keys(prompts) as (keyof typeof prompts)[];
const idOf = ({ first }: Asked) => ids.find((id) => first.includes(prompts[id])) ?? "poison";

/** All neighbours are in the middle of something: only then the first answer of the one that kills them comes. */
let allBusy: PromiseWithResolvers<object>;
let askedAgain: PromiseWithResolvers<object>;
let busy: Set<string>;
function isBusy(id: string): void {
  busy.add(id);
  if (busy.size === ids.length - 1) allBusy.resolve({});
}

function slow(asked: Asked) {
  const id = idOf(asked);
  if (id === "poison") return allBusy.promise;
  if (id !== "think" || asked.turn !== 2) return {};
  if (asked.attempt > 1) askedAgain.resolve({});
  isBusy(id);
  return askedAgain.promise;
}

describe("the neighbours of a run whose thread dies", () => {
  let thinking: ThinkingBench;
  let result: Result;
  let events: Event[];
  beforeAll(async () => {
    [allBusy, askedAgain, busy] = [Promise.withResolvers(), Promise.withResolvers(), new Set()];
    const worker = new URL("../support/sabotage.ts", import.meta.url);
    thinking = await openThinkingBench((asked) => scripts[idOf(asked)] ?? [], { threads: 1, worker, slow });
    const { bench } = thinking;
    const { repository, spec } = await bench.repository({ "command/a.txt": "a\n" });
    const tasks = ids.map((id) => ({ ...thinkingTask(prompts[id]), id, writes: [{ directories: [id] }] }));
    const permissions = { allow: [parseRule("Bash")], deny: [], mode: "ask" as const };
    let question = "";
    let starts = 0;
    const job = await bench.coordinator.submit({
      spec: { ...spec, tasks, permissions },
      repository,
      onFact: (_, fact) => {
        if (fact.type === "tool.intended" && fact.data.tool === "bash") isBusy("command");
        if (fact.type === "approval.requested") {
          question = fact.data.approval_id;
          isBusy("ask");
        }
        // The answer comes when the thread is long gone.
        if (fact.type === "task.started" && fact.data.task_id === "poison" && ++starts === 2)
          void bench.coordinator.decideApproval(question, { decision: "allow" }, "ops");
      },
    });
    result = await job.done;
    events = await eventsOf(bench, job.id);
  }, 60_000);
  afterAll(() => thinking[Symbol.asyncDispose]());

  const task = (id: string) => result.tasks.find((each) => each.id === id);
  const runsOf = (id: string) =>
    events.flatMap(({ type, data }) => (type === "task.started" && data.task_id === id ? [data.run_id as string] : []));
  const logOf = (id: string) => events.filter(({ run_id }) => runsOf(id).includes(run_id));
  const turnsOf = (id: keyof typeof prompts) =>
    thinking.server.logged.filter(({ first }) => first.includes(prompts[id])).map(({ turn }) => turn);

  it("go on in the same attempt, and pay no answer twice", () => {
    for (const id of ["think", "ask", "command"]) {
      expect(task(id)).toMatchObject({ state: "succeeded", attempts: 1, landed: true });
      expect(runsOf(id)).toHaveLength(1);
    }
    // What was under way when the thread died is asked again, and nothing else is.
    expect(turnsOf("think").filter((turn) => turn !== 2)).toEqual([1, 3]);
    expect(turnsOf("ask")).toEqual([1, 2, 3]);
    expect(turnsOf("command")).toEqual([1, 2]);
    const retried = events.flatMap((event) => (event.type === "turn.retried" ? [event.data] : []));
    expect(retried).toMatchObject([{ turn: 2, attempt: 2, reason: "interrupted", is_billed: true }]);
  });

  it("wait for the same answer, and have a command that was under way come to its one end", () => {
    const types = logOf("ask").map(({ type }) => type);
    expect(types.filter((type) => type.startsWith("approval."))).toEqual(["approval.requested", "approval.resolved"]);
    const ended = logOf("command").flatMap((event) => (event.type === "tool.finished" ? [event.data] : []));
    expect(ended.filter(({ tool }) => tool === "bash")).toMatchObject([{ is_error: false, receipt: { exit: 0 } }]);
    expect(task("command")?.files_changed).toBe(1);
  });

  it("leave the one to blame to be given up after its second death alone", () => {
    expect(task("poison")).toMatchObject({ state: "failed", attempts: 2, reason: { code: "thread_died" } });
    expect(turnsOf("poison")).toEqual([1, 1]);
    expect(result.outcome).toBe("partial");
  });

  it("are counted once in the books, as in the log, and leave no open span", async () => {
    const { input_tokens, output_tokens, is_assumed } = spentIn(events).usage;
    expect(result.usage).toMatchObject({ input_tokens, output_tokens, is_assumed });
    const spans = await readTrace(result.job.id as never, thinking.bench.equipment.database);
    expect(spans.filter((span) => span.dur_ns === null)).toEqual([]);
  });
});
