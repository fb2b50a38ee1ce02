import type { ClaimedRun } from "../db/claim-run.ts";
import type { Fact } from "../protocol/event.ts";
import type { Gate } from "./admission.ts";
import type { Job } from "./job.ts";

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

  /** What this run has yet to hear. */
  take(runId: string, taskId: string): string[] {
    const news = this.#said.slice(this.#heard.get(runId) ?? 0);
    this.#heard.set(runId, this.#said.length);
    return news.filter(({ task }) => task === undefined || task === taskId).map(({ text }) => text);
  }
}

/** The gate, with what was said handed over as a model call is acknowledged: in the run's log first. */
export function withNotices(gate: Gate, of: { run: ClaimedRun; taskId: string; job: Job }): Gate {
  return {
    async admit(facts, spanId) {
      const admission = await gate.admit(facts, spanId);
      const isAsking = facts.some(({ type }) => type === "turn.started" || type === "turn.retried");
      if (admission.stop || !isAsking) return admission;
      const texts = of.job.notices.take(of.run.runId, of.taskId);
      if (texts.length === 0) return admission;
      const told = texts.map((text): Fact => ({ type: "run.notified", data: { kind: "steer", text } }));
      await of.job.logRun(of.run, told, spanId);
      return { ...admission, notices: [...admission.notices, ...texts] };
    },
    said: (sign) => gate.said(sign),
  };
}
