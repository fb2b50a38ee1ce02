import { afterAll, beforeAll, expect, it } from "vitest";
import { parseRule } from "../../src/permission/rule.ts";
import type { ApprovalAnswer } from "../../src/protocol/approval.ts";
import type { Fact } from "../../src/protocol/event.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const rules = (...texts: string[]) => texts.map((text) => parseRule(text));
const bash = (command: string) => ({ tool: "bash", input: { command } });
const read = (file_path: string) => ({ tool: "read", input: { file_path } });
type Call = { tool: string; input: Record<string, unknown> };

/** One answer with these calls; each question gets its answer by what it is about. */
async function run(
  turns: Call[][],
  permissions: JobSpec["permissions"],
  answers: Readonly<Record<string, ApprovalAnswer["decision"]>>,
) {
  const { repository, spec } = await bench.repository({ "one/a": "a\n", "secret/key": "hidden\n", "open/b": "b\n" });
  const model = { provider: "scripted" as const, file: "x", turns: turns.map((calls) => ({ calls })) };
  const agent = { name: "fixer", instructions: "", model };
  const task = {
    id: "one",
    writes: [{ directories: ["one"] }],
    steps: [{ kind: "agent" as const, agent, prompt: "" }],
  };
  const facts: Fact[] = [];
  const asked: string[] = [];
  const onFact = (_: string, fact: Fact) => {
    facts.push(fact);
    if (fact.type !== "approval.requested") return;
    asked.push(fact.data.input);
    const decision = answers[fact.data.input] ?? "deny";
    // Not within the append that tells of it.
    setImmediate(() => void bench.coordinator.decideApproval(fact.data.approval_id, { decision }, "tester"));
  };
  const submitted = await bench.coordinator.submit({
    spec: { ...spec, tasks: [task], permissions },
    repository,
    onFact,
  });
  const result = await submitted.done;
  const finished = facts.flatMap((fact) => (fact.type === "tool.finished" ? [fact.data] : []));
  const outputs = finished.flatMap(({ tool, content, receipt }) =>
    tool === "bash" ? [{ output: content.split("\n").slice(1).join("\n"), ...receipt }] : [],
  );
  return { result, facts, asked, finished, outputs };
}

it("a command that is asked about runs as it was shown, once it is allowed, and not when it is denied", async () => {
  const { result, asked, outputs, facts } = await run(
    [[bash("echo 1 > one/a; cat one/a"), bash("echo no")], [bash("cat open/b")]],
    { allow: rules("Bash(cat:*)"), deny: [], mode: "ask" },
    { "echo 1 > one/a; cat one/a": "allow", "echo no": "deny" },
  );
  expect(asked).toEqual(["echo 1 > one/a; cat one/a", "echo no"]);
  expect(outputs.map(({ output }) => output)).toEqual(["1", "b"]);
  expect(result).toMatchObject({ outcome: "succeeded", denials: [{ tool: "bash", input: "echo no" }] });
  const types = facts.map(({ type }) => type).filter((type) => /approval|tool/.test(type));
  expect(types.slice(0, 6)).toEqual([
    "approval.requested",
    "approval.resolved",
    "tool.intended",
    "approval.requested",
    "approval.resolved",
    "tool.denied",
  ]);
});

it("a read is asked about where a rule says so; the file is in no checkout that a command sees", async () => {
  const { result, asked, finished, outputs } = await run(
    [
      [read("open/b"), read("secret/key")],
      [bash("cat secret/key; ls -a; echo 2 > one/a"), read("secret/key")],
      [read("secret/key")],
    ],
    { allow: rules("Bash"), ask: rules("Read(secret/**)"), deny: [], mode: "ask" },
    { "secret/key": "allow" },
  );
  expect(asked).toEqual(["secret/key", "secret/key"]);
  expect(outputs[0]?.output).not.toContain("hidden");
  expect(outputs[0]?.output).not.toMatch(/^\.git$|^secret$/m);
  expect(finished.filter(({ tool, is_error }) => tool === "read" && !is_error)).toHaveLength(3);
  expect(result).toMatchObject({ outcome: "succeeded", denials: [{ tool: "read", input: "secret/key" }] });
  expect(result.denials[0]?.reason).toContain("in the next turn");
});

it("a rule that asks is a denial with the way out where nobody is asked", async () => {
  const { result, asked } = await run(
    [[bash("cat open/b")], [bash("echo 2 > one/a")]],
    { allow: rules("Bash"), ask: rules("Bash(cat:*)"), deny: [], mode: "deny" },
    {},
  );
  expect(asked).toEqual([]);
  expect(result).toMatchObject({ outcome: "succeeded", denials: [{ rule: "Bash(cat:*)" }] });
});
