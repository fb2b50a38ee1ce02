import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Fact } from "../protocol/event.ts";
import type { Failure } from "../protocol/failure.ts";
import type { Denial } from "../protocol/result.ts";
import { type Fetched, type HostMessage, type ThreadMessage, threadMessage } from "../protocol/thread.ts";
import type { JudgeView } from "../tools/judge.ts";
import { acknowledge } from "./acknowledge.ts";
import type { Watched } from "./watch-threads.ts";

/**
 * The coordinator's end of one run's line. Messages are taken strictly in order; what a thread says is parsed once,
 * here, and believed only about its own run.
 */
export interface HostPort extends Watched {
  /** To be transferred to the thread. */
  readonly threadEnd: MessagePort;
  readonly denials: readonly Omit<Denial, "task">[];
  /** Asks the run to end; its siblings in the same thread do not notice. */
  cancel(failure: Failure): void;
  /** Waits until the thread has let go (or died) and all it said is in the log. */
  close(): Promise<void>;
}

export interface HostView {
  judge: JudgeView;
  append(facts: readonly Fact[], spanId: string | undefined): Promise<void>;
  fetch(path: string, want: "read" | "materialise"): Promise<Fetched>;
  names(prefix: string): Promise<{ names: string[]; isComplete: boolean }>;
  span(message: unknown): void;
  /** Any sign of life that is progress; pongs are not. */
  progressed(): void;
  now(): number;
}

/** A port that never reached its thread is never closed by it. */
const lettingGoMs = 1_000;

export function openHostPort(view: HostView): HostPort {
  const { port1: host, port2: threadEnd } = new MessageChannel();
  const denials: Omit<Denial, "task">[] = [];
  let threadId = 0;
  let heardAt = view.now();
  let stop: Failure | undefined;
  let turn: Promise<void> = Promise.resolve();
  let beat = 0;
  const closed = once(host, "close");
  const send = (message: HostMessage) => host.postMessage(message);

  const answer = async (message: ThreadMessage): Promise<void> => {
    switch (message.kind) {
      case "started":
        threadId = message.thread_id;
        return;
      case "pong":
        return;
      case "span":
        return view.span(message.message);
      case "fetch":
        return send({ kind: "fetched", id: message.id, file: await view.fetch(message.path, message.want) });
      case "names": {
        const { names, isComplete } = await view.names(message.prefix);
        return send({ kind: "named", id: message.id, names, is_complete: isComplete });
      }
      case "append": {
        const acknowledged = acknowledge(message.facts, view.judge);
        denials.push(...acknowledged.denials);
        await view.append(acknowledged.facts, message.span_id);
        const { decisions } = acknowledged;
        return send({ kind: "acknowledged", id: message.id, decisions, ...(stop ? { stop } : {}) });
      }
    }
  };

  host.on("message", (raw: unknown) => {
    heardAt = view.now();
    const message = threadMessage.parse(raw);
    if (message.kind !== "pong") view.progressed();
    if (message.kind === "span" || message.kind === "started" || message.kind === "pong") return void answer(message);
    turn = turn.then(() => answer(message)).catch((thrown: unknown) => fail(thrown));
  });

  const fail = (thrown: unknown) => {
    stop ??= { code: "internal", message: thrown instanceof Error ? thrown.message : String(thrown) };
    send({ kind: "cancel", failure: stop });
  };

  return {
    threadEnd,
    denials,
    get threadId() {
      return threadId;
    },
    get heardAt() {
      return heardAt;
    },
    ping: () => send({ kind: "ping", beat: ++beat }),
    cancel(failure) {
      stop ??= failure;
      send({ kind: "cancel", failure: stop });
    },
    async close() {
      await Promise.race([closed, wait(lettingGoMs, undefined, { ref: false })]);
      await turn;
      host.close();
    },
  };
}
