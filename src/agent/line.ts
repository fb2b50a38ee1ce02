import type { MessagePort } from "node:worker_threads";
import type { ModelSign } from "../protocol/endpoint.ts";
import type { ThreadFact } from "../protocol/event.ts";
import { type Failure, Fault } from "../protocol/failure.ts";
import type { Decision } from "../protocol/scope.ts";
import type { SpanMessage } from "../protocol/span.ts";
import { type Fetched, type HostMessage, hostMessage, type ThreadMessage } from "../protocol/thread.ts";
import type { Asking } from "../tools/asking.ts";

/** Decisions on the intents by call id, and what was said to the agent meanwhile. */
export interface Acknowledged {
  decisions: Readonly<Record<string, Decision>>;
  notices: readonly string[];
}

/** The run's only connection to the world outside its thread: one port, questions paired with answers by number. */
export interface Line extends Asking {
  /** Aborted when the coordinator cancels or stops the run; the reason is a `Stopped`. */
  readonly signal: AbortSignal;
  /** Resolves when the facts are in the log, and a model call that they intend may be made. */
  append(facts: readonly ThreadFact[], spanId?: string): Promise<Acknowledged>;
  /** What is told of a model call while it goes on, and is no fact of the run. */
  said(sign: ModelSign): void;
  fetch(path: string, want: "read" | "materialise"): Promise<Fetched>;
  names(prefix: string): Promise<{ names: string[]; isComplete: boolean }>;
  /** Has a command run that was allowed, by the id of its call. */
  command(callId: string): Promise<{ content: string; isError: boolean; hasChanged?: boolean }>;
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
  const send = (message: ThreadMessage) => port.postMessage(message);
  const { ask, hear } = pairQuestions(send, stop.signal);
  port.on("message", (raw: unknown) => {
    const message = hostMessage.parse(raw);
    if (message.kind === "ping") return send({ kind: "pong", beat: message.beat });
    if (message.kind === "cancel") return stop.abort(new Stopped(message.failure));
    hear(message);
  });
  port.on("close", () => {
    stop.abort(new Stopped({ code: "internal", message: "the coordinator closed the line to this run" }));
  });
  send({ kind: "started", thread_id: threadId });

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
      return { content: answer.content, isError: answer.is_error, hasChanged: answer.has_changed ?? false };
    },
    async search(query, paths) {
      const answer = await ask((id) => ({ kind: "search", id, query, paths: paths.join("\0") }));
      if (answer.kind !== "searched") throw unexpected(answer);
      return answer.report;
    },
    async keep(text) {
      const answer = await ask((id) => ({ kind: "keep", id, text }));
      if (answer.kind !== "kept") throw unexpected(answer);
      return { sha256: answer.sha256, bytes: answer.bytes };
    },
    async artifact(sha256) {
      const answer = await ask((id) => ({ kind: "artifact", id, sha256 }));
      if (answer.kind !== "artifact") throw unexpected(answer);
      return answer.text ?? undefined;
    },
    span: (message) => send({ kind: "span", message }),
    alive: () => send({ kind: "pong", beat: 0 }),
    close: () => port.close(),
  };
}

interface Questions {
  /** Rejects with the signal's reason when it is aborted first. */
  ask(build: (id: number) => ThreadMessage): Promise<HostMessage>;
  hear(answer: Extract<HostMessage, { id: number }>): void;
}

function pairQuestions(send: (message: ThreadMessage) => void, signal: AbortSignal): Questions {
  const open = new Map<number, (answer: HostMessage) => void>();
  let asked = 0;
  return {
    ask: (build) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const id = ++asked;
        const onAbort = () => reject(signal.reason);
        signal.addEventListener("abort", onAbort, { once: true });
        open.set(id, (answer) => {
          signal.removeEventListener("abort", onAbort);
          resolve(answer);
        });
        send(build(id));
      }),
    hear(answer) {
      open.get(answer.id)?.(answer);
      open.delete(answer.id);
    },
  };
}

function unexpected(answer: HostMessage): Fault {
  return new Fault("internal", `the coordinator answered with ${answer.kind}`);
}
