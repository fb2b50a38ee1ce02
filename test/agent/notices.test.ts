import { expect, test } from "vitest";
import { estimateTokens } from "../../src/model/estimate.ts";
import { openTalk, says } from "./talk.ts";

const texts = (count: number) => Array.from({ length: count }, (_, at) => `${at}${"x".repeat(8_000)}`);

function told(count: number, context: number) {
  let asked = 0;
  return openTalk({
    said: [says("ok")],
    card: { context_tokens: context, output_tokens: 8_000 },
    acknowledge: (facts) =>
      facts.some(({ type }) => type === "turn.started") && asked++ === 0 ? { notices: texts(count) } : undefined,
  });
}

test("what is said while a call waits leaves the answer the room that there is", async () => {
  using run = told(5, 20_000);
  expect(await run.turns(1)).toEqual({ kind: "done" });
  const [request] = run.requests;
  expect(JSON.stringify(request?.messages)).toContain("4xxx");
  const taken = request ? estimateTokens(request) + request.maxTokens : 0;
  expect(taken).toBeGreaterThan(13_000);
  expect(taken).toBeLessThanOrEqual(20_000);
});

test("what no context holds is not sent, and costs nothing", async () => {
  using run = told(10, 20_000);
  expect(await run.turns(1)).toMatchObject({ kind: "ended", failure: { code: "too_long" } });
  expect(run.requests).toEqual([]);
  expect(run.talk.unlogged).toMatchObject([{ type: "turn.failed", data: { is_billed: false } }]);
});
