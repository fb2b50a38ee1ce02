import { costOf } from "../model/cost.ts";
import { type ModelAnswer, ModelFailed } from "../model/model.ts";
import type { FactData } from "../protocol/event.ts";
import { addUsage } from "../protocol/message.ts";
import type { Span } from "../telemetry/thread-tracer.ts";
import { CallFailed } from "./call-failed.ts";
import { noteAnswer, noteBegan, noteFailure, noteRetry, startChat } from "./chat-span.ts";
import { type Conversation, logWith } from "./conversation.ts";
import { type Fitted, fitRequest, isOverfull, shortenRequest, tooLong, withNotices } from "./fit-request.ts";
import { intendAnew, recallTurn } from "./recall-turn.ts";

/**
 * One model call: its intent, its attempts, its answer. It neither waits nor gives up: each attempt is an intent of its
 * own, whose acknowledgement comes when the next one may be made, or says stop. Throws CallFailed for what no
 * further attempt would mend.
 */
export async function askModel(talk: Conversation): Promise<ModelAnswer> {
  const past = talk.past.get(talk.turns);
  if (!past) return askNow(talk, { fitted: await intend(talk, fitRequest(talk)), attempts: 1 });
  const { answer, ask, attempts } = await recallTurn(talk, past);
  if (!answer) return askNow(talk, { fitted: await intendAnew(talk, past), attempts: attempts + 1 });
  take(talk, answer, ask);
  return answer;
}

function take(talk: Conversation, answer: ModelAnswer, ask: Ask | undefined): void {
  talk.usage = addUsage(talk.usage, answer.usage);
  talk.scale = scaleOf(answer, ask?.input_tokens ?? 0, talk);
  talk.news = [];
}

/** What is to be asked, and which attempt at it this is. */
interface First {
  fitted: Fitted;
  attempts: number;
}

async function askNow(talk: Conversation, first: First): Promise<ModelAnswer> {
  const chat = startChat(talk, first.fitted);
  try {
    const { answer, ask } = await attempt(talk, chat, first);
    take(talk, answer, ask);
    noteAnswer(chat, answer, talk);
    chat.end();
    return answer;
  } catch (thrown) {
    noteFailure(chat, thrown, talk);
    throw thrown;
  }
}

/** What of an answer goes into the log. */
export function answerFact(talk: Conversation, answer: ModelAnswer): FactData<"turn.finished"> {
  const { content, stop, usage, model, requestId } = answer;
  const { card } = talk.model;
  return {
    turn: talk.turns,
    answer: content,
    usage,
    stop,
    ...(model === undefined || model === talk.model.name ? {} : { model }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(card ? { cost_nano_usd: costOf(usage, card.price) } : {}),
  };
}

async function intend(talk: Conversation, fitted: Fitted): Promise<Fitted> {
  const { model, turns: turn, opening } = talk;
  const intent = {
    type: "turn.started" as const,
    data: {
      turn,
      model: model.name,
      ...(model.card ? { ask: fitted.ask, manifest: fitted.manifest } : {}),
      ...(turn === 1 && opening ? { opening } : {}),
    },
  };
  talk.news.push(intent);
  const { notices } = await logWith(talk, [intent]);
  return notices.length > 0 ? withNotices(fitted, talk) : fitted;
}

type Ask = Fitted["ask"];

async function attempt(talk: Conversation, chat: Span, first: First): Promise<{ answer: ModelAnswer; ask: Ask }> {
  let { fitted } = first;
  for (let ordinal = first.attempts; ; ordinal++) {
    const answered = isOverfull(fitted, talk) ? overfull() : await tryOnce(talk, chat, fitted);
    if (!(answered instanceof ModelFailed)) return { answer: answered, ask: fitted.ask };
    talk.line.signal.throwIfAborted();
    const next = nextOrEnd(talk, fitted, answered);
    noteRetry(chat, ordinal + 1, answered);
    fitted = await intendAgain(talk, next, { attempt: ordinal + 1, failed: answered, isOther: next !== fitted });
  }
}

function overfull(): ModelFailed {
  return new ModelFailed("too_long", "with what was said to the agent meanwhile it does not fit the model's context");
}

async function tryOnce(talk: Conversation, chat: Span, { request }: Fitted): Promise<ModelAnswer | ModelFailed> {
  const { line, model, turns: turn } = talk;
  const start = performance.now();
  let told = start;
  const goesOn = () => {
    told = performance.now();
    line.said({ at: "began", turn });
  };
  try {
    return await model.answer(request, {
      signal: line.signal,
      said: line.said,
      began() {
        // Others wait for the first answer of a run to begin, and read its prefix from the cache then.
        if (turn === 1 && model.card) goesOn();
        noteBegan(chat, performance.now() - start);
      },
      heard() {
        if (performance.now() - told > toldEveryMs) goesOn();
      },
    });
  } catch (thrown) {
    if (thrown instanceof ModelFailed) return thrown;
    throw thrown;
  }
}

/** A long answer is no idleness: the coordinator hears that it goes on, and not of every piece. */
const toldEveryMs = 1_000;

/** The end of the call goes into the log with the rest of the run: it is settled by that. */
function nextOrEnd(talk: Conversation, fitted: Fitted, failed: ModelFailed): Fitted {
  try {
    return nextRequest(talk, fitted, failed);
  } catch (thrown) {
    talk.unlogged.push({ type: "turn.failed", data: { turn: talk.turns, ...reasonOf(failed) } });
    throw thrown;
  }
}

function reasonOf({ message, status, isBilled }: ModelFailed) {
  const reason = message.slice(0, mostReason).toWellFormed();
  return { reason, ...(status === undefined ? {} : { status }), is_billed: isBilled };
}

/** Characters. */
const mostReason = 500;

/** The request of the next attempt. */
function nextRequest(talk: Conversation, fitted: Fitted, failed: ModelFailed): Fitted {
  const { message, remedy } = failed;
  switch (failed.kind) {
    case "busy":
    case "lost":
      return fitted;
    case "too_long": {
      const shorter = shortenRequest(talk);
      if (!shorter) throw tooLong(`the request is too long, and nothing is left that could be left out: ${message}`);
      return shorter;
    }
    case "refused":
      throw new CallFailed({ code: "model_refused", message, remedy: remedy ?? refusedRemedy });
    case "credentials":
      throw new CallFailed({ code: "credentials", message, remedy: credentialsRemedy });
  }
}

const refusedRemedy = "check the model's name, and what its endpoint takes (endpoint in sheaf.config.yaml)";
const credentialsRemedy =
  "check the key (ANTHROPIC_API_KEY, or endpoint.key in sheaf.config.yaml), and that it may use this model";

async function intendAgain(
  talk: Conversation,
  fitted: Fitted,
  { attempt, failed, isOther }: { attempt: number; failed: ModelFailed; isOther: boolean },
): Promise<Fitted> {
  const { retryAfterMs } = failed;
  const { notices } = await logWith(talk, [
    {
      type: "turn.retried",
      data: {
        turn: talk.turns,
        attempt,
        ...reasonOf(failed),
        ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }),
        ask: fitted.ask,
        ...(isOther ? { manifest: fitted.manifest } : {}),
      },
    },
  ]);
  return notices.length > 0 ? withNotices(fitted, talk) : fitted;
}

/** Endpoints count by tokenizers of their own: the last answer tells how far off the estimate is. */
function scaleOf({ usage }: ModelAnswer, estimated: number, { scale }: Conversation): number {
  const counted = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
  if (usage.is_assumed || usage.is_cache_unknown || counted === 0 || estimated === 0) return scale;
  // The estimate was scaled up already where that was needed.
  return Math.min(2, Math.max(0.5, (counted / estimated) * Math.max(1, scale)));
}
