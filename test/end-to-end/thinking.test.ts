import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MessagesServer, openMessagesServer } from "../support/messages-server.ts";
import { limitFiles, refactoringTeam } from "../support/refactoring-team.ts";
import { openSheaf, patience, type Sheaf } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";

/** Agents that think, through the real command line, the real SDK and HTTP, against a server that counts for itself. */
const parts = 16;
const price = { input: 3, output: 15, cache_read: 0.3, cache_write_5m: 3.75, cache_write_1h: 6 };
const model = "claude-sonnet-5-5";
let ground: Playground;
let server: MessagesServer;
let sheaf: Sheaf;

beforeAll(async () => {
  ground = playground();
  for (const [path, text] of Object.entries(limitFiles(parts))) ground.write(path, text);
  ground.commit();
  server = await openMessagesServer({ behave: refactoringTeam(parts), leastTokens: 500, keep: "bodies" });
  sheaf = openSheaf({ settings: JSON.stringify({ models: { [model]: { price } } }) });
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

const asking = () => ({ env: { ANTHROPIC_BASE_URL: `${server.url}/v1/`, ANTHROPIC_API_KEY: server.key } });

describe("sheaf run -p", { timeout: patience }, () => {
  it("plans, runs 16 scoped agents, lands one tree, and counts as the server does; its log answers for the model", async () => {
    const goal = ["-p", "raise every limit to 20", "--repo", ground.user, "--check", "! grep -rq 'limit = 10' ."];
    const { result, stderr } = await sheaf.job([...goal, "--max-usd", "5"], asking());
    expect(result, stderr).toMatchObject({ outcome: "succeeded", exit_code: 0, denials: [] });
    expect(result.tasks.map(({ state, landed }) => [state, landed])).toEqual(Array(parts).fill(["succeeded", true]));
    const patch = await sheaf.call(["diff", "last"]);
    for (let part = 0; part < parts; part++) expect(patch.stdout).toContain(`+export const limit = 20; // ${part}\n`);

    // To the token, and to the nano-dollar, planner included.
    const { requests: _, refused, broken, ...counted } = server.total();
    expect({ refused, broken }).toEqual({ refused: 0, broken: 0 });
    const { cost_usd, cost_known, ...used } = result.usage;
    expect(used).toMatchObject(counted);
    const written = server.logged.reduce((sum, { usage }) => sum + usage.cache_creation_input_tokens, 0);
    const nano =
      counted.input_tokens * 3_000 + counted.output_tokens * 15_000 + counted.cache_read_tokens * 300 + written * 3_750;
    expect([cost_known, Math.round(cost_usd * 1e9)]).toEqual([true, nano]);

    // One of the siblings wrote what they share, and all others read it.
    const first = server.logged.filter(({ turn, body }) => turn === 1 && !isPlanner(body));
    expect(first.filter(({ usage }) => usage.cache_read_input_tokens === 0)).toHaveLength(1);

    const asked = server.total().requests;
    const recording = await sheaf.call(["logs", "last", "--output-format", "recording"]);
    sheaf.write("team.json", recording.stdout);
    await server[Symbol.asyncDispose]();
    const again = await sheaf.job([...goal, "--model", "replay/team.json"], asking());
    expect(again.result, again.stderr).toMatchObject({ outcome: "succeeded", result_tree: result.result_tree });
    expect(again.result.usage).toMatchObject({ ...used, cost_usd: 0 });
    expect(server.total().requests).toBe(asked);
  });
});

function isPlanner(body: unknown): boolean {
  return JSON.stringify(body).includes('"name":"plan"');
}
