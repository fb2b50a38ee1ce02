import { setTimeout as passTime } from "node:timers/promises";
import type { ScriptedTurn } from "../protocol/agent.ts";
import { type AnswerBlock, noUsage, type Usage } from "../protocol/message.ts";
import { failureOfStatus } from "./failure-of.ts";
import { type Hearing, type Model, type ModelAnswer, ModelFailed } from "./model.ts";

/**
 * A model that follows a script: its n-th answer is the script's n-th turn, whatever it is told in between.
 * It drives tests, demos and bug reports, and may wait, speak in pieces and fail as a real one does; the run ends with its
 * last turn.
 */
export function scriptedModel(name: string, turns: readonly ScriptedTurn[]): Model {
  /** How often each turn was asked for. */
  const asked = new Map<number, number>();
  return {
    name,
    async answer(request, hearing) {
      hearing.signal.throwIfAborted();
      const spoken = request.messages.filter((said) => said.role === "assistant").length;
      const turn = turns[spoken] ?? {};
      const attempt = asked.get(spoken) ?? 0;
      asked.set(spoken, attempt + 1);
      await wait(turn, hearing);
      fail(turn, { attempt, name, hearing });
      await speak(turn, hearing);
      return answerOf(turn, spoken, spoken >= turns.length - 1);
    },
  };
}

async function wait({ wait: ms = 0 }: ScriptedTurn, { signal }: Hearing): Promise<void> {
  // What aborts has a reason of its own, which the timer would hide.
  if (ms > 0) await passTime(ms, undefined, { signal }).catch(() => {});
  signal.throwIfAborted();
}

interface Asked {
  attempt: number;
  name: string;
  hearing: Hearing;
}

/** The first attempts fail, each in its own way. */
function fail({ error }: ScriptedTurn, { attempt, name, hearing }: Asked): void {
  const failing = error === undefined ? undefined : [error].flat()[attempt];
  if (!failing) return;
  const { status, retry_after } = failing;
  if (status === "lost") {
    const reason = `no answer from ${name}: its script breaks the connection`;
    hearing.said?.({ at: "lost", reason });
    throw new ModelFailed("lost", reason, { isBilled: true });
  }
  const retryAfterMs = retry_after === undefined ? undefined : retry_after * 1_000;
  const rate = retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs };
  hearing.said?.({ at: "answered", status, rate });
  throw failureOfStatus({ status, text: "its script says so", retryAfterMs, isFinal: false, name, model: name });
}

async function speak(turn: ScriptedTurn, hearing: Hearing): Promise<void> {
  hearing.began?.();
  for (const _piece of turn.stream ?? []) await wait(turn, hearing);
}

function answerOf(turn: ScriptedTurn, ordinal: number, isLast: boolean): ModelAnswer {
  const calls = (turn.calls ?? []).map(
    (call, index): AnswerBlock => ({
      type: "tool_use",
      id: `call_${ordinal + 1}_${index + 1}`,
      name: call.tool,
      input: call.input ?? {},
    }),
  );
  const text = turn.say ?? turn.stream?.join("") ?? "";
  const content: AnswerBlock[] = text ? [{ type: "text", text }, ...calls] : calls;
  return { content, stop: turn.stop ?? (isLast ? "end_turn" : "tool_use"), usage: usageOf(turn) };
}

function usageOf({ usage }: ScriptedTurn): Usage {
  if (!usage) return noUsage;
  const { input, output, cache_read = 0, cache_write = 0 } = usage;
  return { input_tokens: input, output_tokens: output, cache_read_tokens: cache_read, cache_write_tokens: cache_write };
}
