import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { UnfitFact } from "../db/fact-rows.ts";
import type { Fact, ThreadFact } from "../protocol/event.ts";
import { type Failure, toFailure } from "../protocol/failure.ts";
import type { Denial } from "../protocol/result.ts";
import { type Fetched, type HostMessage, type ThreadMessage, threadMessage } from "../protocol/thread.ts";
import { type AcknowledgeView, acknowledge } from "./acknowledge.ts";
import { type AllowedCall, CallBook } from "./calls/call-book.ts";
import type { Desk } from "./calls/desk.ts";
import type { Told } from "./calls/run-tool-command.ts";
import type { Gate } from "./gate/admission.ts";
import { Parted } from "./resume/parted.ts";
import type { PastLog } from "./resume/past-log.ts";
import type { Watched } from "./threads/watch-threads.ts";

/** What a port needs of the coordinator to answer its thread. */
export interface HostView extends Omit<AcknowledgeView, "book"> {
  /** Runs it and writes down what came of it. */
  call(call: AllowedCall): Promise<Told>;
  fetch(path: string, want: "read" | "materialise"): Promise<Fetched>;
  names(prefix: string): Promise<{ names: string[]; isComplete: boolean }>;
  desk: Desk;
  gate: Gate;
  /** A span as the thread posted it, unchecked. */
  span(message: unknown): void;
  /** Any sign of life that is progress; pongs are not. */
  progressed(): void;
  /** Whether its job is to be laid aside, and a wait for as long as it is. */
  isToRest?(): boolean;
  rest?(): Promise<void>;
  now(): number;
}

/** A port that never reached its thread is never closed by it. */
const lettingGoMs = 1_000;

/**
 * The coordinator's end of one run's line. Questions are answered strictly in order; what a thread says is parsed
 * once, here, and believed only about its own run. What goes wrong in answering stops the run and is kept in
 * `thrown`: it is Sheaf's failure, unless it is an UnfitFact.
 */
export class HostPort implements Watched {
  /** To be transferred to the thread. */
  readonly threadEnd: MessagePort;
  readonly denials: Omit<Denial, "task">[] = [];
  threadId = 0;
  heardAt: number;
  thrown: { cause: unknown } | undefined;
  readonly #view: HostView;
  readonly #book = new CallBook();
  readonly #host: MessagePort;
  readonly #closed: Promise<unknown>;
  #stop: Failure | undefined;
  #answering: Promise<void> = Promise.resolve();
  #beat = 0;

  constructor(view: HostView) {
    const { port1, port2 } = new MessageChannel();
    this.#view = view;
    this.#host = port1;
    this.threadEnd = port2;
    this.heardAt = view.now();
    this.#closed = once(port1, "close");
    port1.on("message", (raw: unknown) => this.#hear(raw));
  }

  ping(): void {
    this.#beat += 1;
    this.#send({ kind: "ping", beat: this.#beat });
  }

  /** Asks the run to end; its siblings in the same thread do not notice. The first reason counts. */
  cancel(failure: Failure): void {
    this.#stop ??= failure;
    this.#send({ kind: "cancel", failure: this.#stop });
  }

  /** Waits until the thread has let go (or died) and all it said is in the log; nothing is heard of it afterwards. */
  async close(): Promise<void> {
    await Promise.race([this.#closed, wait(lettingGoMs, undefined, { ref: false })]);
    this.#host.close();
    await this.#answering;
  }

  /** A run that goes on said all that its log holds, or it is not the same run any more. */
  failUnlessSaid(past: PastLog | undefined, { hasDied }: { hasDied: boolean }): void {
    const left = past?.left;
    if (left !== undefined && !hasDied)
      this.thrown ??= { cause: new Parted(`it ended where its log goes on with ${left}`) };
  }

  #hear(raw: unknown): void {
    this.heardAt = this.#view.now();
    const parsed = isSpan(raw) ? { success: true as const, data: raw } : threadMessage.safeParse(raw);
    if (parsed.success) this.#take(parsed.data);
    else this.#fail(new UnfitFact("the thread of this run said what is no message", { cause: parsed.error }));
  }

  #take(message: ThreadMessage): void {
    if (message.kind === "pong") return;
    this.#view.progressed();
    if (message.kind === "span") this.#view.span(message.message);
    else if (message.kind === "model") this.#view.gate.said(message.said);
    else if (message.kind === "started") this.threadId = message.thread_id;
    else {
      this.#answering = this.#answering
        .then(() => this.#answer(message))
        .then((answer) => this.#send(answer))
        .catch((thrown: unknown) => this.#fail(thrown));
    }
  }

  async #answer(message: Extract<ThreadMessage, { id: number }>): Promise<HostMessage> {
    const { id } = message;
    switch (message.kind) {
      case "fetch":
        return { kind: "fetched", id, file: await this.#view.fetch(message.path, message.want) };
      case "names": {
        const { names, isComplete } = await this.#view.names(message.prefix);
        return { kind: "named", id, names, is_complete: isComplete };
      }
      case "command": {
        const { content, isError, denials, hasChanged } = await this.#view.call(this.#book.take(message.call_id));
        this.denials.push(...denials);
        return { kind: "commanded", id, content, is_error: isError, ...(hasChanged ? { has_changed: true } : {}) };
      }
      case "search":
      case "keep":
      case "artifact":
        return { id, ...(await this.#view.desk.answer(message)) };
      case "append": {
        const settling = settlingFirst(message, this.#view);
        const view = { ...this.#view, ...settling.view, book: this.#book };
        const facts = await this.#untilItMay(message, view);
        const { decisions, denials } = await acknowledge(facts, message.span_id, view);
        this.denials.push(...denials);
        const admission = await this.#view.gate.admit(settling.left(), message.span_id);
        const stop = this.#stop ?? admission.stop;
        return { kind: "acknowledged", id, decisions, notices: [...admission.notices], ...(stop ? { stop } : {}) };
      }
    }
  }

  /**
   * A job that is to rest does so between two turns: what the last one came to is in the log then, and the next is not
   * begun. Answers what is still to be acknowledged.
   */
  async #untilItMay(
    { facts, span_id }: Extract<ThreadMessage, { kind: "append" }>,
    view: AcknowledgeView,
  ): Promise<readonly ThreadFact[]> {
    const turn = facts.findIndex(({ type }) => type === "turn.started");
    if (turn < 0 || !this.#view.isToRest?.()) return facts;
    const { denials } = await acknowledge(facts.slice(0, turn), span_id, view);
    this.denials.push(...denials);
    await this.#view.rest?.();
    return facts.slice(turn);
  }

  #fail(thrown: unknown): void {
    this.thrown ??= { cause: thrown };
    this.cancel(toFailure(thrown));
  }

  #send(message: HostMessage): void {
    this.#host.postMessage(message);
  }
}

/**
 * Before a person is asked, whose answer may take days, the gate hears what is in the log already: a call that has its
 * answer holds neither its place at the endpoint nor what was reserved for it.
 */
function settlingFirst(
  { facts, span_id }: Extract<ThreadMessage, { kind: "append" }>,
  { append, ask, gate }: Pick<HostView, "append" | "ask" | "gate">,
): { view: Pick<HostView, "append" | "ask">; left(): readonly ThreadFact[] } {
  const logged = new Set<Fact>();
  let settled = 0;
  return {
    view: {
      async append(appended, spanId) {
        await append(appended, spanId);
        for (const fact of appended) logged.add(fact);
      },
      async ask(question) {
        const upTo = facts.findLastIndex((fact) => logged.has(fact)) + 1;
        if (upTo > settled) await gate.admit(facts.slice(settled, upTo), span_id);
        settled = Math.max(settled, upTo);
        return ask(question);
      },
    },
    left: () => facts.slice(settled),
  };
}

/** Most of what a thread says. The schema looks at no more of it either: the span hub does. */
function isSpan(raw: unknown): raw is Extract<ThreadMessage, { kind: "span" }> {
  return typeof raw === "object" && raw !== null && "kind" in raw && raw.kind === "span" && "message" in raw;
}
