import type { ClaimedRun } from "../../db/claim-run.ts";
import { tokensOf } from "../../model/estimate.ts";
import type { Fact, ThreadFact } from "../../protocol/event.ts";
import type { Job } from "../job.ts";
import type { Gate } from "./admission.ts";
import type { CallIntent } from "./queue-call.ts";

/**
 * What people say to the agents of one job while it runs. A run hears, once and in order, all that was said to its task or
 * to the whole job, also what was said before it began: an agent that starts anew knows nothing of the one before it.
 */
export class Notices {
  readonly #said: { task: string | undefined; text: string }[] = [];
  readonly #heard = new Map<string, number>();

  /** Without a task: to all of them. */
  tell(task: string | undefined, text: string): void {
    this.#said.push({ task, text });
  }

  /** A run that goes on has heard so many of what was said to it. */
  heardBefore(runId: string, taskId: string, count: number): void {
    const own = [...this.#said.keys()].filter((index) => isSaidTo(taskId, this.#said[index]));
    const last = count > 0 ? own[count - 1] : undefined;
    if (last !== undefined) this.#heard.set(runId, last + 1);
  }

  /** What this run has yet to hear. It counts as heard when `heard` is called. */
  news(runId: string, taskId: string): { texts: string[]; heard(): void } {
    const end = this.#said.length;
    const news = this.#said.slice(this.#heard.get(runId) ?? 0);
    const texts = news.filter((said) => isSaidTo(taskId, said)).map(({ text }) => text);
    return { texts, heard: () => void this.#heard.set(runId, end) };
  }
}

function isSaidTo(taskId: string, said: { task: string | undefined } | undefined): boolean {
  return said !== undefined && (said.task === undefined || said.task === taskId);
}

/**
 * The gate, with what was said handed over as a model call is acknowledged: in the run's log first. Room for it is
 * reserved with the call.
 */
export function withNotices(gate: Gate, of: { run: ClaimedRun; taskId: string; job: Job }): Gate {
  return {
    async admit(facts, spanId) {
      const isAsking = facts.some(isIntent);
      const { texts, heard } = isAsking ? of.job.notices.news(of.run.runId, of.taskId) : nothingSaid;
      if (texts.length === 0) return gate.admit(facts, spanId);
      const tokens = texts.reduce((sum, text) => sum + tokensOf(text) + aroundText, 0);
      const admission = await gate.admit(
        facts.map((fact) => (isIntent(fact) ? withRoom(fact, tokens) : fact)),
        spanId,
      );
      if (admission.stop) return admission;
      heard();
      const told = texts.map((text): Fact => ({ type: "run.notified", data: { kind: "steer", text } }));
      await of.job.logRun(of.run, told, spanId);
      return { ...admission, notices: [...admission.notices, ...texts] };
    },
    said: (sign) => gate.said(sign),
  };
}

const nothingSaid = { texts: [], heard: () => {} };

function isIntent(fact: ThreadFact): fact is CallIntent {
  return fact.type === "turn.started" || fact.type === "turn.retried";
}

/** Tokens of a block that are none of its text. */
const aroundText = 8;

function withRoom(intent: CallIntent, tokens: number): CallIntent {
  const { ask } = intent.data;
  if (!ask || ask.max_tokens === 0) return intent;
  const data = { ...intent.data, ask: { ...ask, input_tokens: ask.input_tokens + tokens } };
  return { ...intent, data } as CallIntent;
}
