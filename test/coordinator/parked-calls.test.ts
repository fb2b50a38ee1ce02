import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spentIn } from "../../src/coordinator/result/result-usage.ts";
import type { Event } from "../../src/protocol/event.ts";
import { eventsOf } from "../support/bench-job.ts";
import type { Asked } from "../support/messages/reply.ts";
import { openThinkingBench, resume, type ThinkingBench, thinkingTask } from "../support/thinking-job.ts";

const ids = ["a", "b", "c", "d"];
const tasksOf = (work: string) =>
  ids.map((id) => ({ ...thinkingTask(`${work} ${id}`), id, writes: [{ directories: [id] }] }));
/** Long enough for the others to wait, and for somebody else to bring the job to its end. */
const slow = ({ attempt, first }: Asked) => (attempt === 1 && !isAsking(first) ? { delayMs: 2_500 } : {});
const isAsking = (first: string) => first.includes("ask somebody");
const submit = [{ name: "submit", input: { summary: "done" } }];
const write = [{ name: "write", input: { file_path: "elsewhere.txt", content: "new\n" } }];

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const ofType = <T extends Event["type"]>(events: readonly Event[], type: T) =>
  events.flatMap((event) => (event.type === type ? [event as Extract<Event, { type: T }>] : []));

describe("calls that wait for their rate when their process goes", () => {
  let thinking: ThinkingBench;
  beforeAll(async () => {
    thinking = await openThinkingBench(({ first }) => (isAsking(first) ? [write, submit] : [submit]), {
      settings: {
        models: { own: { context: 100_000, output: 1_000, price: { input: 3, output: 15 } } },
        endpoint: { concurrency: 1 },
      },
      threads: 1,
      slow,
    });
  }, 60_000);
  afterAll(() => thinking[Symbol.asyncDispose]());

  it("count nothing afterwards: only the one that was out counts in full", async () => {
    const { bench, server } = thinking;
    const { repository, spec } = await bench.repository({ "a.txt": "a\n" });
    const first = await bench.coordinator.submit({
      spec: { ...spec, tasks: tasksOf("first"), fresh: true },
      repository,
    });
    const gone = expect(first.done).rejects.toMatchObject({ code: "fenced" });
    await until(async () => ofType(await eventsOf(bench, first.id), "turn.waiting").length === ids.length - 1);
    expect(server.open).toBe(1);
    const [asked] = ofType(await eventsOf(bench, first.id), "turn.started");
    const { result, events } = await resume(bench, first.id);
    expect(result.outcome).toBe("no_changes");
    const retried = ofType(events, "turn.retried").map(({ data }) => data);
    expect(retried.filter(({ reason }) => reason === "interrupted")).toHaveLength(ids.length);
    expect(retried.filter(({ is_billed }) => is_billed)).toHaveLength(1);
    const answers = ofType(events, "turn.finished").map(({ data }) => data.usage.output_tokens);
    const answered = answers.reduce((sum, tokens) => sum + tokens, 0);
    const output_tokens = answered + (asked?.data.ask?.max_tokens ?? 0);
    expect(result.usage).toMatchObject({ output_tokens, is_assumed: true });
    expect(spentIn(events).usage).toMatchObject({ output_tokens });
    await gone;
  }, 60_000);

  it("that came to their turn say so before they go", async () => {
    const { bench, server } = thinking;
    const { repository, spec } = await bench.repository({ "a.txt": "a\n" });
    const before = server.logged.length;
    const { id, done } = await bench.coordinator.submit({
      spec: { ...spec, tasks: tasksOf("second").slice(0, 2), fresh: true },
      repository,
    });
    expect((await done).outcome).toBe("no_changes");
    expect(server.logged.length - before).toBe(2);
    const waited = Map.groupBy(await eventsOf(bench, id), ({ run_id }) => run_id);
    const told = [...waited.values()].map((log) =>
      log.map(({ type }) => type).filter((type) => type.startsWith("turn.")),
    );
    expect(told).toContainEqual(["turn.started", "turn.waiting", "turn.sent", "turn.finished"]);
    expect(told).toContainEqual(["turn.started", "turn.finished"]);
  }, 60_000);

  it("do not wait for a run that waits for a person: its answer is here", async () => {
    const { bench } = thinking;
    const { repository, spec } = await bench.repository({ "a.txt": "a\n" });
    const tasks = tasksOf("ask somebody").slice(0, 2);
    const permissions = { allow: [], deny: [], mode: "ask" as const };
    const { id, done } = await bench.coordinator.submit({
      spec: { ...spec, tasks, permissions, fresh: true },
      repository,
    });
    const open = async () => (await bench.coordinator.approvals({ job: id, state: "pending", limit: 9 })).approvals;
    await until(async () => (await open()).length === tasks.length);
    for (const each of await open()) await bench.coordinator.decideApproval(each.id, { decision: "deny" }, "ops");
    const { usage } = await done;
    const answers = ofType(await eventsOf(bench, id), "turn.finished").map(({ data }) => data.usage.output_tokens);
    expect(answers).toHaveLength(4);
    expect(usage.output_tokens).toBe(answers.reduce((sum, tokens) => sum + tokens, 0));
  }, 60_000);
});
