import type { ScriptedTurn } from "../protocol/agent.ts";
import { type AnswerBlock, noUsage } from "../protocol/message.ts";
import type { Model, ModelAnswer } from "./model.ts";

/**
 * A model that follows a script: its n-th answer is the script's n-th turn, whatever it is told in between.
 * It drives tests, demos and bug reports; the run ends with its last turn.
 */
export function scriptedModel(name: string, turns: readonly ScriptedTurn[]): Model {
  return {
    name,
    async answer(request, { signal }) {
      signal.throwIfAborted();
      const spoken = request.messages.filter((said) => said.role === "assistant").length;
      return answerOf(turns[spoken], spoken, spoken >= turns.length - 1);
    },
  };
}

function answerOf(turn: ScriptedTurn | undefined, ordinal: number, isLast: boolean): ModelAnswer {
  const calls = (turn?.calls ?? []).map(
    (call, index): AnswerBlock => ({
      type: "tool_use",
      id: `call_${ordinal + 1}_${index + 1}`,
      name: call.tool,
      input: call.input ?? {},
    }),
  );
  const content: AnswerBlock[] = turn?.say ? [{ type: "text", text: turn.say }, ...calls] : calls;
  return { content, stop: isLast ? "end_turn" : "tool_use", usage: noUsage };
}
