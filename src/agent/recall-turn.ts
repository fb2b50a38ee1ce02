import type { ModelAnswer } from "../model/model.ts";
import type { FactData } from "../protocol/event.ts";
import { interrupted, type PastTurn } from "../protocol/past-turn.ts";
import type { ModelAsk } from "../protocol/run-fact.ts";
import { type Conversation, logWith } from "./conversation.ts";
import { type Fitted, fitRequest, withNotices } from "./fit-request.ts";

/**
 * A turn that the run's log holds. Its intents are told again, in their order, so that what the tools did before it and
 * what was said to the agent with it come back where they were; no request is made of it and no model is asked.
 */
export interface Recalled {
  /** Absent where nobody knows it: it is to be asked again. */
  answer?: ModelAnswer;
  ask?: ModelAsk | undefined;
  /** Attempts that were made. */
  attempts: number;
}

export async function recallTurn(talk: Conversation, past: PastTurn): Promise<Recalled> {
  let before = talk.past.get(past.turn - 1)?.intents.findLast(({ data }) => data.manifest !== undefined)?.data.manifest;
  for (const intent of past.intents) {
    const isFirst = intent.type === "turn.started" && intent.data.opening !== undefined;
    // Its own words: whoever compares them sees whether it would say the same again.
    const told = isFirst && talk.opening ? { ...intent, data: { ...intent.data, opening: talk.opening } } : intent;
    leaveOut(talk, intent, before);
    before = intent.data.manifest ?? before;
    talk.news.push(intent);
    await logWith(talk, [told]);
  }
  if (past.answer) talk.model.recalled?.(past.answer.answer);
  const attempts = past.intents.length;
  const ask = past.intents.at(-1)?.data.ask;
  return { attempts, ask, ...(past.answer ? { answer: answerOf(past.answer) } : {}) };
}

/** What this request lost beside what the one before had lost: a call of the same id may have come since. */
function leaveOut({ fold }: Conversation, intent: PastTurn["intents"][number], before: Manifest): void {
  const { manifest } = intent.data;
  if (!manifest) return;
  const known = [...(before?.pointed ?? [])];
  const pointed = manifest.pointed.filter((id) => {
    const place = known.indexOf(id);
    if (place >= 0) known.splice(place, 1);
    return place < 0;
  });
  const { turn, model } = { model: "", ...intent.data };
  fold.add({ type: "turn.started", data: { turn, model, manifest: { ...manifest, pointed } } });
}

function answerOf({ answer, stop, usage, model, request_id }: NonNullable<PastTurn["answer"]>): ModelAnswer {
  return {
    ...{ content: answer, stop, usage },
    ...(model === undefined ? {} : { model }),
    ...(request_id === undefined ? {} : { requestId: request_id }),
  };
}

/** Asks again what was under way: nobody knows what became of it, so it counts in full and is another attempt. */
export async function intendAnew(talk: Conversation, past: PastTurn): Promise<Fitted> {
  const fitted = fitRequest(talk);
  const before = past.intents.findLast(({ data }) => data.manifest !== undefined)?.data.manifest;
  const { notices } = await logWith(talk, [
    {
      type: "turn.retried",
      data: {
        turn: past.turn,
        attempt: past.intents.length + 1,
        reason: interrupted,
        is_billed: !past.has_failed,
        ask: fitted.ask,
        ...(isSame(before, fitted.manifest) ? {} : { manifest: fitted.manifest }),
      },
    },
  ]);
  return notices.length > 0 ? withNotices(fitted, talk) : fitted;
}

type Manifest = FactData<"turn.started">["manifest"];

function isSame(one: Manifest, other: Manifest): boolean {
  return JSON.stringify([one?.pointed, one?.dropped]) === JSON.stringify([other?.pointed, other?.dropped]);
}
