import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRule } from "../../src/permission/rule.ts";
import { eventsOf } from "../support/bench-job.ts";
import { databases } from "../support/databases.ts";
import type { TestBench } from "../support/equipment.ts";
import type { Asked } from "../support/messages/reply.ts";
import { openThinkingBench, resume, type ThinkingBench, thinkingTask } from "../support/thinking-job.ts";

const write = (file_path: string) => ({ name: "write", input: { file_path, content: "new\n" } });
const turns = [
  [write("one/a.txt")],
  [write("one/b.txt"), { name: "bash", input: { command: "cat one/a.txt > one/c.txt" } }],
  [{ name: "submit", input: { summary: "done" } }],
];

/** Long enough for somebody else to bring the job to its end. */
const slow = ({ turn, attempt }: Asked) => (turn === 2 && attempt === 1 ? { delayMs: 4_000 } : {});

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe.each(databases)("an agent that somebody else takes while its model answers, in $name", ({ open }) => {
  let thinking: ThinkingBench;
  let bench: TestBench;
  beforeAll(async () => {
    thinking = await openThinkingBench(() => turns, { openDatabase: open, slow });
    bench = thinking.bench;
  }, 60_000);
  afterAll(() => thinking[Symbol.asyncDispose]());

  it("goes on there, and its first owner writes nothing more", async () => {
    const { server } = thinking;
    const { repository, spec } = await bench.repository({ "one/a.txt": "a\n" });
    const first = await bench.coordinator.submit({
      spec: { ...spec, tasks: [thinkingTask("work")], permissions: { allow: [parseRule("Bash")], deny: [] } },
      repository,
    });
    const gone = expect(first.done).rejects.toMatchObject({ code: "fenced" });
    await until(() => server.logged.length === 1 && server.open === 1);
    const { result, events } = await resume(bench, first.id);
    expect(result).toMatchObject({ outcome: "succeeded", tasks: [{ attempts: 1, files_changed: 3 }] });
    // Two of three turns, the one that was under way at the end, and what was asked again in its place.
    expect(server.logged.map(({ turn, attempt }) => [turn, attempt])).toEqual([
      [1, 1],
      [2, 2],
      [3, 1],
    ]);
    const attempts = events.flatMap((event) => (event.type === "turn.retried" ? [event.data] : []));
    expect(attempts).toMatchObject([{ turn: 2, attempt: 2, reason: "interrupted", is_billed: true }]);
    await gone;
    expect(await eventsOf(bench, first.id)).toEqual(events);
  }, 60_000);
});
