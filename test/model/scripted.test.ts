import { expect, it } from "vitest";
import { ModelFailed } from "../../src/model/model.ts";
import { scriptedModel } from "../../src/model/scripted.ts";
import { type ScriptedTurn, scriptedTurn } from "../../src/protocol/agent.ts";
import { ask, listener } from "../support/served-model.ts";

async function outcomes(turn: ScriptedTurn, attempts: number) {
  const model = scriptedModel("scripted/x.yaml", [scriptedTurn.parse(turn), { say: "end" }]);
  const came: unknown[] = [];
  for (let attempt = 0; attempt < attempts; attempt++) {
    const answered: unknown = await model.answer(ask(), listener()).catch((thrown: unknown) => thrown);
    came.push(answered instanceof ModelFailed ? answered.kind : "answered");
  }
  return came;
}

it("A scripted turn fails in its first attempts as it says, and is answered then.", async () => {
  expect(await outcomes({ say: "hi", error: { status: 529 } }, 2)).toEqual(["busy", "answered"]);
  const error = [{ status: 429, retry_after: 2 }, { status: "lost" as const }, { status: 400 }];
  expect(await outcomes({ error }, 5)).toEqual(["busy", "lost", "refused", "answered", "answered"]);
});

it("What a scripted failure asks to wait for is told as an endpoint would.", async () => {
  const model = scriptedModel("scripted/x.yaml", [{ error: { status: 429, retry_after: 2 } }]);
  const hearing = listener();
  await expect(model.answer(ask(), hearing)).rejects.toMatchObject({ status: 429, retryAfterMs: 2_000 });
  expect(hearing.signs).toEqual([{ at: "answered", status: 429, rate: { retry_after_ms: 2_000 } }]);
  expect(hearing.begun).toBe(0);
});

it("A scripted turn speaks in pieces, takes the tokens it says, and stops as it says.", async () => {
  const model = scriptedModel("scripted/x.yaml", [
    { stream: ["Hel", "lo"], wait: 1, usage: { input: 7, output: 3, cache_read: 5 }, stop: "max_tokens" },
  ]);
  const hearing = listener();
  expect(await model.answer(ask(), hearing)).toEqual({
    content: [{ type: "text", text: "Hello" }],
    stop: "max_tokens",
    usage: { input_tokens: 7, output_tokens: 3, cache_read_tokens: 5, cache_write_tokens: 0 },
  });
  expect(hearing.begun).toBe(1);
});

it("A cancel ends a scripted wait at once, with its reason.", async () => {
  const abort = new AbortController();
  const reason = new Error("cancelled");
  const answer = scriptedModel("scripted/x.yaml", [{ say: "late", wait: 3_600_000 }]).answer(
    ask(),
    listener(abort.signal),
  );
  abort.abort(reason);
  await expect(answer).rejects.toBe(reason);
});

it("A scripted turn that is misspelt is refused.", () => {
  for (const turn of [
    { wait: -1 },
    { error: { status: 200 } },
    { stop: "now" },
    { usage: { input: 1 } },
    { streams: [] },
  ]) {
    expect(scriptedTurn.safeParse(turn).success).toBe(false);
  }
});
