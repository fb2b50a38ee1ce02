import { afterAll, beforeAll, expect, it } from "vitest";
import type { NamedTask } from "../../src/protocol/job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import { answered, openRawServer, type RawServer } from "../support/raw-server.ts";

const done = { type: "tool_use", id: "done", name: "submit", input: { summary: "ok" } };
const said = (...content: unknown[]) => ({
  type: "message",
  content,
  stop_reason: "tool_use",
  usage: { input_tokens: 100, output_tokens: 10 },
});
const nested = (depth: number) => JSON.parse(`{"file_path":${"[".repeat(depth)}${"]".repeat(depth)}}`);
const odd = [
  said({ type: "tool_use", id: "a", name: "read", input: nested(700) }),
  said({ type: "tool_use", id: "__proto__", name: "bash", input: { command: "echo hi" } }),
  { ...said({ type: "tool_use", id: "b", name: "read", input: nested(3_000) }), usage: { input_tokens: 1e12 } },
  said(done),
];
const huge = said({ type: "text", text: "y".repeat(10_000_000) });

let server: RawServer;
let bench: TestBench;
beforeAll(async () => {
  server = await openRawServer(...odd.map((message) => answered(200, message)), answered(200, huge));
  bench = await openTestBench({
    sandbox: "external",
    settings: { models: { own: { context: 100_000, output: 2_000 } } },
    variables: { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: "sk-test-key" },
  });
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const served = { provider: "messages" as const, via: "anthropic" as const, model: "own" };
const turns = [{ calls: [{ tool: "write", input: { file_path: "good/x.txt", content: "x\n" } }] }];
const scripted = { provider: "scripted" as const, file: "good", turns };

function task(id: string, model: typeof served | typeof scripted): NamedTask {
  return {
    id,
    writes: [{ directories: [id] }],
    needs: [],
    steps: [{ kind: "agent", agent: { name: id, instructions: "", model }, prompt: "p" }],
  };
}

it("Odd answers end a run at most, and never the job: what others did lands.", async () => {
  const { repository, spec } = await bench.repository({ "a.txt": "a\n" });
  const submit = async (id: string) => {
    const tasks = [task("good", scripted), task(id, served)];
    const { done } = await bench.coordinator.submit({ spec: { ...spec, tasks }, repository });
    const { outcome, tasks: ended } = await done;
    return { outcome, states: ended.map(({ state }) => state) };
  };
  expect((await submit("odd")).states[1]).not.toBe("failed");
  expect(server.requests).toHaveLength(odd.length);
  const failed = await submit("huge");
  expect(failed).toMatchObject({ outcome: "partial" });
});
