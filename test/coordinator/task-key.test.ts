import { describe, expect, it } from "vitest";
import { createModelDirectory } from "../../src/coordinator/gate/model-directory.ts";
import { taskKey } from "../../src/coordinator/tasks/task-key.ts";
import type { AgentSpec } from "../../src/protocol/agent.ts";
import { taskId } from "../../src/protocol/ids.ts";
import type { Ceiling } from "../../src/settings/ceiling.ts";
import { modelSettingsOf } from "../../src/settings/models.ts";
import { writtenSettings } from "../../src/settings/written.ts";
import { emptySpec } from "../support/job.ts";

const models = (address: string) =>
  createModelDirectory({
    settings: modelSettingsOf(writtenSettings.parse({}), undefined),
    variable: (name) => (name === "ANTHROPIC_BASE_URL" ? address : undefined),
    now: () => 0,
  });

const ceiling: Ceiling = {
  permissions: { ask: [], deny: [] },
  network: { private: [] },
  secrets: {},
  approvalMs: 1,
};
const usual = { version: "1", ceiling, models: models("http://127.0.0.1:1") };

const helper: AgentSpec = {
  name: "helper",
  model: { provider: "messages", via: "anthropic", model: "m" },
  instructions: "",
};

function keyOf(equipment: Partial<typeof usual> = {}): string {
  const task = {
    id: taskId.parse("one"),
    title: "one",
    ordinal: 0,
    item: {},
    needs: [],
    writes: [],
    files: [],
    steps: [],
  };
  const around = { job: { spec: { ...emptySpec("job"), agents: [helper] } }, equipment: { ...usual, ...equipment } };
  return taskKey(task, { tree: "0".repeat(40) }, around);
}

describe("the key of a task", () => {
  it("is another one where the operator lets jobs reach other hosts, or keeps other secrets for them", () => {
    expect(keyOf()).toBe(keyOf());
    const others = [
      keyOf(),
      keyOf({ ceiling: { ...ceiling, network: { private: [], hosts: [] } } }),
      keyOf({ ceiling: { ...ceiling, network: { private: ["db.lan"] } } }),
      keyOf({ ceiling: { ...ceiling, secrets: { TOKEN: "a" } } }),
    ];
    expect(new Set(others).size).toBe(others.length);
    // A secret is renewed, and what was done with it stays done.
    expect(keyOf({ ceiling: { ...ceiling, secrets: { TOKEN: "b" } } })).toBe(others[3]);
  });

  it("is another one where an agent that may be started is asked through another endpoint", () => {
    expect(keyOf({ models: models("http://127.0.0.1:2") })).not.toBe(keyOf());
  });
});
