import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readJobEvents } from "../../src/db/read-events.ts";
import { parseRule } from "../../src/permission/rule.ts";
import type { ScriptedTurn } from "../../src/protocol/agent.ts";
import type { NamedTask } from "../../src/protocol/job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench({ lookMs: 1_500 });
});
afterAll(() => bench[Symbol.asyncDispose]());

/** One task that may write below `mine`, with these turns; what its tools answered, by call. */
async function run(files: Readonly<Record<string, string>>, turns: ScriptedTurn[]) {
  const { repository, spec } = await bench.repository(files);
  const permissions = { allow: [parseRule("Bash(seq:*)")], deny: [] };
  const agent = { name: "one", instructions: "", model: { provider: "scripted" as const, file: "one.yaml", turns } };
  const task: NamedTask = {
    id: "one",
    writes: [{ directories: ["mine"] }],
    steps: [{ kind: "agent", agent, prompt: "" }],
  };
  const { id, done } = await bench.coordinator.submit({ spec: { ...spec, tasks: [task], permissions }, repository });
  const result = await done;
  const events = (await readJobEvents(id, 0, bench.equipment.database)).map(({ event }) => event);
  const answers = events.flatMap((event) => (event.type === "tool.finished" ? [event.data.content] : []));
  return { result, events, answers };
}

const grep = (input: object): NonNullable<ScriptedTurn["calls"]>[number] => ({ tool: "grep", input });

it("searches the base beneath the run's own edits, and leaves nothing behind", async () => {
  const files = {
    "mine/a.ts": "needle\n",
    "mine/gone.ts": "needle\n",
    "far/b.ts": "needle ä\n",
    "far/c.bin": "needle\0",
  };
  const { answers, result } = await run(files, [
    { calls: [grep({ pattern: "needle" }), grep({ pattern: "needle", output_mode: "content", path: "far" })] },
    {
      calls: [
        { tool: "write", input: { file_path: "mine/new.ts", content: "a needle\n" } },
        { tool: "edit", input: { file_path: "mine/a.ts", old_string: "needle", new_string: "pin" } },
        { tool: "delete", input: { file_path: "mine/gone.ts" } },
      ],
    },
    { calls: [grep({ pattern: "needle" }), grep({ pattern: "needle", path: "far/b.ts" })] },
    { calls: [{ tool: "submit", input: { summary: "done" } }] },
  ]);
  expect(answers).toMatchObject(
    [
      "far/b.ts\nmine/a.ts\nmine/gone.ts",
      "far/b.ts:1:needle ä",
      /made/,
      /changed/,
      /deleted/,
      "far/b.ts\nmine/new.ts",
      "far/b.ts",
      "submitted",
    ].map((each) => (typeof each === "string" ? each : expect.stringMatching(each))),
  );
  expect(result.outcome).toBe("succeeded");
  expect(readdirSync(join(bench.folder, "home", "checkouts"))).toEqual([]);
});

it("ends a pattern that never comes back, and the run goes on", async () => {
  const { answers, result } = await run({ "mine/a": `${"a".repeat(60)}!\n`, "mine/b": "b\n" }, [
    { calls: [grep({ pattern: "^(a+)+$" })] },
    { calls: [grep({ pattern: "b" })] },
    { calls: [{ tool: "write", input: { file_path: "mine/c", content: "c" } }] },
  ]);
  expect(answers[0]).toMatch(/did not come to an end on "mine\/a" within 1.5 s.*repetition/);
  expect(answers[1]).toBe("mine/b");
  expect(result.outcome).toBe("succeeded");
});

it("rewrites code of the base by pattern, and logs each file with its blob", async () => {
  const files = { "mine/a.ts": "foo(1);\n", "mine/b.ts": "foo(2);\n", "other/c.ts": "foo(3);\n" };
  const { events, result } = await run(files, [
    { calls: [{ tool: "ast_rewrite", input: { pattern: "foo($A)", fix: "bar($A)", language: "TypeScript" } }] },
  ]);
  const finished = events.find((event) => event.type === "tool.finished");
  expect(finished).toMatchObject({ data: { content: "rewrote 2 places in 2 files:\n- mine/a.ts: 1\n- mine/b.ts: 1" } });
  expect(events.some((event) => event.type === "tool.intended" && event.data.tool === "ast_rewrite")).toBe(true);
  expect(result.tasks).toMatchObject([{ files_changed: 2 }]);
  expect(finished).toMatchObject({ data: { changed: [{ path: "mine/a.ts", mode: "100644" }, { path: "mine/b.ts" }] } });
});

it("what a command printed is read page by page, by its own run alone", async () => {
  const sha256 = createHash("sha256")
    .update(Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join(""))
    .digest("hex");
  const page = { tool: "read", input: { file_path: `artifact:${sha256}`, view_range: [9_000, 9_001] } };
  const turns = [{ calls: [page, { tool: "bash", input: { command: "seq 1 20000" } }] }, { calls: [page] }];
  const { answers, events } = await run({ "mine/a": "a\n" }, turns);
  expect(answers[0]).toMatch(/there is no artifact:[0-9a-f]{64} of this run/);
  expect(answers[1]).toContain(`read {"file_path": "artifact:${sha256}"} shows them`);
  expect(answers[2]).toBe(`read lines 9000-9001 of 20000 of artifact:${sha256}`);
  const last = events.findLast((event) => event.type === "tool.finished");
  expect(last).toMatchObject({ data: { is_error: false, pointer: { sha256, view_range: [9_000, 9_001] } } });
  // Another run that knows its id is told that it has none.
  expect((await run({ "mine/a": "a\n" }, [{ calls: [page] }])).answers[0]).toMatch(/there is no artifact/);
});
