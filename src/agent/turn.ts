import type { StopReason } from "../model/model.ts";
import { type Failure, toFailure } from "../protocol/failure.ts";
import { answerFact, askModel } from "./ask-model.ts";
import { CallFailed } from "./call-failed.ts";
import { type Conversation, logWith, notify } from "./conversation.ts";
import { Stopped } from "./line.ts";
import { endsAt } from "./loop-watch.ts";
import { type Reading, readAnswer } from "./read-answer.ts";
import { runCalls } from "./run-calls.ts";

/**
 * One model request and the tool calls it asked for, in two appends: the results of the last tools with the intent
 * of the request, then the answer with the intents of its tools. Nothing with an effect happens in between.
 */
export type TurnEnd = { kind: "continue" } | { kind: "done" } | { kind: "ended"; failure: Failure; isStopped: boolean };

export async function takeTurn(talk: Conversation): Promise<TurnEnd> {
  try {
    talk.turns += 1;
    warnOfEnd(talk);
    const answer = await askModel(talk);
    const data = answerFact(talk, answer);
    talk.fold.add({ type: "turn.finished", data });
    const { decisions } = await logWith(talk, [{ type: "turn.finished", data }]);
    makeRoom(talk, answer.stop);
    return await follow(talk, readAnswer(answer, talk), decisions);
  } catch (thrown) {
    if (thrown instanceof Stopped) return { kind: "ended", failure: thrown.failure, isStopped: true };
    return ended(thrown instanceof CallFailed ? thrown.failure : toFailure(thrown));
  }
}

/** For the next answer, when this one was cut off: by its own limit, or by the end of the context. */
function makeRoom(talk: Conversation, stop: StopReason): void {
  if (stop === "max_tokens") talk.answerTokens *= 4;
  if (stop === "too_long") talk.fold.shorten();
}

/** Turns that are left when the agent is told, if it had more than a few. */
const toldAtTurns = 2;
const few = 4;

function warnOfEnd(talk: Conversation): void {
  if (talk.maxTurns <= few || talk.maxTurns - talk.turns !== toldAtTurns - 1) return;
  notify(
    talk,
    "turns",
    `Only ${toldAtTurns} turns are left, this one included. Finish what you can, then call submit.`,
  );
}

type Decisions = Awaited<ReturnType<typeof logWith>>["decisions"];

async function follow(talk: Conversation, reading: Reading, decisions: Decisions): Promise<TurnEnd> {
  switch (reading.kind) {
    case "refused":
      return ended(reading.failure);
    case "done":
      if (reading.text !== "") talk.submission = { summary: reading.text.slice(0, mostSummary).toWellFormed() };
      return { kind: "done" };
    case "nothing":
      return goOn(talk, reading);
    case "calls": {
      const mostRepeated = await runCalls(talk, reading.calls, decisions);
      if (reading.isLast || talk.submission) return { kind: "done" };
      if (mostRepeated >= endsAt) return ended(loop(mostRepeated));
      if (reading.isFruitless) return goOn(talk, { ...reading, failure: cutOff });
      talk.fruitless = 0;
      if (reading.note) notify(talk, "answer", reading.note);
      return { kind: "continue" };
    }
  }
}

/** Characters; as many as a submission may have. */
const mostSummary = 16_000;
/** Answers in a row that may come to nothing before the run ends: all but the last are told of it. */
const mostFruitless = 3;

function goOn(talk: Conversation, { note, failure }: { note?: string; failure: Failure }): TurnEnd {
  talk.fruitless += 1;
  if (talk.fruitless >= mostFruitless) return ended(failure);
  if (note) notify(talk, "answer", note);
  return { kind: "continue" };
}

const cutOff: Failure = {
  code: "malformed_calls",
  message: "one answer after the other held only calls whose input was cut off or is no JSON object",
  remedy: "try another model, or make the task smaller so that its answers are shorter",
};

function loop(count: number): Failure {
  return {
    code: "loop",
    message: `the agent went round in circles: the same call with the same result, ${count} times`,
    remedy: "see its last calls (sheaf logs), and say more plainly what is to be done; what it had changed is kept",
  };
}

function ended(failure: Failure): TurnEnd {
  return { kind: "ended", failure, isStopped: false };
}
