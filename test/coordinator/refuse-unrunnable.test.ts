import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createModelDirectory } from "../../src/coordinator/gate/model-directory.ts";
import { withoutUnpriced } from "../../src/coordinator/gate/refuse-models.ts";
import { submit } from "../../src/coordinator/submit.ts";
import type { AgentSpec } from "../../src/protocol/agent.ts";
import type { JobSpec, ToolServer } from "../../src/protocol/job.ts";
import { modelSettingsOf } from "../../src/settings/models.ts";
import { writtenSettings } from "../../src/settings/written.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";
import { emptySpec } from "../support/job.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench({ secrets: { KEPT: "kept-value-0123456789" } });
});
afterAll(() => bench[Symbol.asyncDispose]());

async function refused(more: Partial<JobSpec>, hasSandbox = true): Promise<string> {
  const { repository, spec } = await bench.repository({ "a.txt": "a\n" });
  const nothing = async () => ({ unavailable: "there is no sandbox here", remedy: "install one" });
  const equipment = hasSandbox ? bench.equipment : { ...bench.equipment, sandbox: nothing };
  const thrown: unknown = await submit({ spec: { ...spec, ...more }, repository }, equipment).catch((error) => error);
  if (thrown instanceof Error) return thrown.message;
  throw new Error("it was taken");
}

it("agents that nobody named are left out where money is limited and nobody knows their price", () => {
  const agent = (name: string, model: string, more: Partial<AgentSpec> = {}): AgentSpec => ({
    ...{ name, instructions: "", model: { provider: "messages", via: "anthropic", model }, ...more },
  });
  const agents = [
    agent("old", "claude-of-long-ago", { is_unnamed: true }),
    agent("named", "claude-of-long-ago"),
    agent("new", "claude-sonnet-5-5", { is_unnamed: true }),
  ];
  const spec = { ...emptySpec("x"), agents };
  const warned: string[] = [];
  const models = createModelDirectory({
    settings: modelSettingsOf(writtenSettings.parse({}), undefined),
    variable: (name) => (name === "ANTHROPIC_API_KEY" ? "some-key-for-a-test" : undefined),
    now: Date.now,
  });
  const { spending } = bench.equipment;
  const equipment = { models, spending, warn: (line: string) => void warned.push(line) };
  const names = (limits: Partial<JobSpec["limits"]>) =>
    withoutUnpriced({ ...spec, limits: { ...spec.limits, ...limits } }, equipment).agents?.map(({ name }) => name);
  expect(names({})).toEqual(["old", "named", "new"]);
  expect(names({ nano_usd: 5, is_default_usd: true })).toEqual(["old", "named", "new"]);
  expect(warned).toEqual([]);
  expect(names({ nano_usd: 3_000_000_000 })).toEqual(["named", "new"]);
  expect(warned).toEqual(["agents without a known price are left out, since money is limited: old"]);
});

describe("a job that could come to no good end", () => {
  it("is refused for a server's secret that the operator does not keep, before anything runs", async () => {
    const run: ToolServer = { kind: "command", name: "docs", run: ["docs"], secrets: ["KEPT", "NOT_KEPT"] };
    expect(await refused({ servers: [run] })).toContain("names the secret NOT_KEPT");
    const url: ToolServer = { kind: "url", name: "web", url: "https://example.com/", secret_headers: { A: "OTHER" } };
    expect(await refused({ servers: [url] })).toContain("names the secret OTHER");
  });

  it("is refused for a server, or an agent of a plan, that needs commands where nothing may run them", async () => {
    const servers: ToolServer[] = [{ kind: "command", name: "docs", run: ["docs"] }];
    expect(await refused({ servers }, false)).toBe('server "docs" needs a command, and there is no sandbox here');
    const worker = {
      name: "default",
      instructions: "",
      model: { provider: "scripted" as const, file: "s", turns: [] },
    };
    const allow = [{ id: "Bash(npm test)", tool: "Bash" as const, words: ["npm", "test"] }];
    expect(await refused({ worker, permissions: { allow, deny: [] } }, false)).toMatch(
      /^the rule Bash\(npm test\) needs/,
    );
  });
});
