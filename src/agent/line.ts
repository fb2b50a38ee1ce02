import type { MessagePort } from "node:worker_threads";
import type { ModelSign } from "../protocol/endpoint.ts";
import type { ThreadFact } from "../protocol/event.ts";
import { type Failure, Fault } from "../protocol/failure.ts";
import type { Decision } from "../protocol/scope.ts";
import type { SpanMessage } from "../protocol/span.ts";
import { type Fetched, type HostMessage, hostMessage, type ThreadMessage } from "../protocol/thread.ts";

/** Decisions on the intents by call id, and what was said to the agent meanwhile. */
export interface Acknowledged {
  decisions: Readonly<Record<string, Decision>>;
  notices: readonly string[];
}

/** The run's only connection to the world outside its thread: one port, questions paired with answers by number. */
export interface Line {
  /** Aborted when the coordinator cancels or stops the run; the reason is a `Stopped`. */
  readonly signal: AbortSignal;
  /** Resolves when the facts are in the log, and a model call that they intend may be made. */
  append(facts: readonly ThreadFact[], spanId?: string): Promise<Acknowledged>;
  /** What is told of a model call while it goes on, and is no fact of the run. */
  said(sign: ModelSign): void;
  fetch(path: string, want: "read" | "materialise"): Promise<Fetched>;
  names(prefix: string): Promise<{ names: string[]; isComplete: boolean }>;
  /** Has a command run that was allowed, by the id of its call. */
  command(callId: string): Promise<{ content: string; isError: boolean }>;
  span(message: SpanMessage): void;
  /** Work goes on that leaves no time to answer a ping. */
  alive(): void;
  close(): void;
}

/** The coordinator said stop; carries why. */
export class Stopped extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = "Stopped";
    this.failure = failure;
  }
}

export function openLine(port: MessagePort, threadId: number): Line {
  const stop = new AbortController();
  const questions = new Map<number, (answer: HostMessage) => void>();
  let asked = 0;
  const send = (message: ThreadMessage) => port.postMessage(message);
  port.on("message", (raw: unknown) => {
    const message = hostMessage.parse(raw);
    if (message.kind === "ping") return send({ kind: "pong", beat: message.beat });
    if (message.kind === "cancel") return stop.abort(new Stopped(message.failure));
    questions.get(message.id)?.(message);
    questions.delete(message.id);
  });
  port.on("close", () => {
    stop.abort(new Stopped({ code: "internal", message: "the coordinator closed the line to this run" }));
  });
  send({ kind: "started", thread_id: threadId });

  const ask = (build: (id: number) => ThreadMessage): Promise<HostMessage> =>
    new Promise((resolve, reject) => {
      stop.signal.throwIfAborted();
      const id = ++asked;
      const onAbort = () => reject(stop.signal.reason);
      stop.signal.addEventListener("abort", onAbort, { once: true });
      questions.set(id, (answer) => {
        stop.signal.removeEventListener("abort", onAbort);
        resolve(answer);
      });
      send(build(id));
    });

  return {
    signal: stop.signal,
    async append(facts, spanId) {
      const answer = await ask((id) => ({
        kind: "append",
        id,
        facts: [...facts],
        ...(spanId ? { span_id: spanId } : {}),
      }));
      if (answer.kind !== "acknowledged") throw unexpected(answer);
      if (answer.stop) {
        stop.abort(new Stopped(answer.stop));
        throw stop.signal.reason;
      }
      return { decisions: answer.decisions, notices: answer.notices };
    },
    said: (sign) => send({ kind: "model", said: sign }),
    async fetch(path, want) {
      const answer = await ask((id) => ({ kind: "fetch", id, path, want }));
      if (answer.kind !== "fetched") throw unexpected(answer);
      return answer.file;
    },
    async names(prefix) {
      const answer = await ask((id) => ({ kind: "names", id, prefix }));
      if (answer.kind !== "named") throw unexpected(answer);
      return { names: answer.names, isComplete: answer.is_complete };
    },
    async command(callId) {
      const answer = await ask((id) => ({ kind: "command", id, call_id: callId }));
      if (answer.kind !== "commanded") throw unexpected(answer);
      return { content: answer.content, isError: answer.is_error };
    },
    span: (message) => send({ kind: "span", message }),
    alive: () => send({ kind: "pong", beat: 0 }),
    close: () => port.close(),
  };
}

function unexpected(answer: HostMessage): Fault {
  return new Fault("internal", `the coordinator answered with ${answer.kind}`);
}
