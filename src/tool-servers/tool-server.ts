import { type Connection, connect, type RawAnswer, UnfitAnswer, type Way } from "./connection.ts";
import { hashOf, type PinnedTool, pinTools } from "./pin-tools.ts";
import { within } from "./within.ts";

/**
 * A server of tools for the length of a job: begun when it is first asked for, begun once more when it is lost, and given
 * up then. Its tools are those that it listed first; one that has changed since is not called.
 */
export interface Door {
  /** How often it is begun at most. */
  mostStarts: number;
  /** How long it may take until it can be asked; 60 s unless told. */
  openMs?: number;
  /** A new way to the server. Transports are tried in their order until one connects. */
  open(): Promise<{ transports: readonly (() => Way)[]; close(): Promise<void>; lastWords(): string }>;
}

/** `problem`: what went wrong, for whoever asked. */
export type Listed = { tools: readonly PinnedTool[] } | { problem: string };
export type Answered = RawAnswer | { problem: string };

interface Held {
  connection: Connection;
  close(): Promise<void>;
  lastWords(): string;
  /** What its tools were when they were listed again; absent where they never had to be. */
  now?: ReadonlyMap<string, string>;
  /** Under way; whoever calls meanwhile waits for it too. */
  listing?: Promise<void> | undefined;
}

/** A program may have to be fetched or compiled first. */
const usualOpenMs = 60_000;

/** Calls that went unanswered, after which nobody waits for it any more. */
const mostUnanswered = 5;

export class ToolServer {
  readonly name: string;
  readonly #door: Door;
  readonly #over = new AbortController();
  #held: Promise<Held> | undefined;
  #starts = 0;
  #unanswered = 0;
  #lastProblem = "";
  #pinned: Promise<Listed> | undefined;

  constructor(name: string, door: Door) {
    this.name = name;
    this.#door = door;
  }

  /** Listed once, for all runs of the job. Rejects with the reason of the signal, whose holder waits no longer. */
  tools(signal: AbortSignal): Promise<Listed> {
    this.#pinned ??= this.#list();
    return within(this.#pinned, signal);
  }

  /** `name` is the pinned one. Rejects with the signal's reason; whatever else goes wrong is a problem. */
  async call(
    name: string,
    input: Readonly<Record<string, unknown>>,
    options: { signal: AbortSignal; timeoutMs: number; traceparent: string },
  ): Promise<Answered> {
    const listed = await this.tools(options.signal);
    if ("problem" in listed) return listed;
    const tool = listed.tools.find((each) => each.name === name);
    if (!tool) return { problem: `it has no tool ${name}` };
    try {
      const held = await within(this.#connected(), options.signal);
      await within(listAgain(held, this.#over.signal), options.signal);
      if (!isUnchanged(tool, held)) return { problem: changed };
      const answer = await held.connection.call(tool.own, input, options);
      this.#unanswered = 0;
      return answer;
    } catch (thrown) {
      options.signal.throwIfAborted();
      return { problem: await this.#fail(thrown) };
    }
  }

  /** Nothing of it is left when this resolves. */
  async close(): Promise<void> {
    this.#over.abort(new Error("the job is over"));
    const held = await this.#held?.catch(() => undefined);
    if (held) await end(held);
  }

  async #list(): Promise<Listed> {
    for (;;) {
      try {
        const { connection } = await this.#connected();
        const pinned = pinTools(this.name, await connection.list(this.#over.signal));
        return "tools" in pinned ? pinned : { problem: pinned.problem };
      } catch (thrown) {
        const problem = await this.#fail(thrown);
        const isVain = thrown instanceof TooLate || this.#over.signal.aborted;
        if (isVain || this.#starts >= this.#door.mostStarts) return { problem };
      }
    }
  }

  async #connected(): Promise<Held> {
    for (;;) {
      const begun = this.#held ?? this.#beginOnce();
      const held = await begun;
      if (!held.connection.isOver) return held;
      await this.#letGo(begun);
    }
  }

  #beginOnce(): Promise<Held> {
    const begun = this.#begin();
    this.#held = begun;
    begun.catch(() => this.#forget(begun));
    return begun;
  }

  #forget(begun: Promise<Held>): void {
    if (this.#held === begun) this.#held = undefined;
  }

  async #begin(): Promise<Held> {
    this.#over.signal.throwIfAborted();
    if (this.#starts >= this.#door.mostStarts) throw new Error(`it is given up: ${this.#lastProblem}`);
    this.#starts += 1;
    const opened = await this.#door.open();
    try {
      const connection = await this.#firstOf(opened.transports);
      // Begun anew, it may be another one than it was.
      connection.isStale = this.#starts > 1;
      return { connection, close: opened.close, lastWords: opened.lastWords };
    } catch (thrown) {
      await opened.close();
      const said = withWords(messageOf(thrown), opened.lastWords());
      throw thrown instanceof TooLate ? new TooLate(said) : new Error(said);
    }
  }

  async #firstOf(ways: readonly (() => Way)[]): Promise<Connection> {
    const late = new AbortController();
    const { openMs = usualOpenMs } = this.#door;
    const reason = new TooLate(`it could not be spoken with within ${openMs / 1000} s`);
    const timer = setTimeout(() => late.abort(reason), openMs);
    try {
      return await firstOf(ways, AbortSignal.any([this.#over.signal, late.signal]));
    } finally {
      clearTimeout(timer);
    }
  }

  async #letGo(begun: Promise<Held>): Promise<Held> {
    this.#forget(begun);
    const held = await begun;
    await end(held);
    return held;
  }

  /** What to say of it; a server that is gone, or answers nobody, is let go. */
  async #fail(thrown: unknown): Promise<string> {
    this.#lastProblem = messageOf(thrown);
    const begun = this.#held;
    const held = await begun?.catch(() => undefined);
    if (isTimeout(thrown)) this.#unanswered += 1;
    const isLost = !isAnswer(thrown) || held?.connection.isOver || this.#unanswered >= mostUnanswered;
    if (begun && held && isLost) {
      this.#unanswered = 0;
      this.#lastProblem = withWords(this.#lastProblem, (await this.#letGo(begun)).lastWords());
    }
    return this.#lastProblem;
  }
}

async function end({ connection, close }: Held): Promise<void> {
  await connection.close().catch(() => {});
  await close();
}

const changed =
  "the server now describes this tool in another way than when the job took it, so it is not called; go on without it";

/** It did not open in time, and would hardly do so the next time. */
class TooLate extends Error {}

/** Where its tools may have changed; what is said meanwhile is looked at the next time. */
async function listAgain(held: Held, signal: AbortSignal): Promise<void> {
  const { connection } = held;
  if (!held.listing && !connection.isStale && connection.tellsChanges) return;
  held.listing ??= relist(held, signal).finally(() => {
    held.listing = undefined;
  });
  await held.listing;
}

/** Until it is known what they are now, they may still be others. */
async function relist(held: Held, signal: AbortSignal): Promise<void> {
  const { connection } = held;
  connection.isStale = false;
  try {
    const listed = await connection.list(signal);
    held.now = new Map(listed.map((each) => [each.name, hashOf(each)]));
  } catch (thrown) {
    connection.isStale = true;
    throw thrown;
  }
}

function isUnchanged(tool: PinnedTool, { now }: Held): boolean {
  return now === undefined || now.get(tool.own) === tool.sha256;
}

async function firstOf(ways: readonly (() => Way)[], signal: AbortSignal): Promise<Connection> {
  let first: unknown;
  for (const open of ways) {
    try {
      return await connect(open(), signal);
    } catch (thrown) {
      signal.throwIfAborted();
      first ??= thrown;
    }
  }
  throw first ?? new Error("it ended before it could be asked");
}

/** An error that the server answered with, or that stands for the lack of an answer. */
function isAnswer(thrown: unknown): boolean {
  return thrown instanceof UnfitAnswer || (thrown instanceof Error && thrown.name === "McpError");
}

/** JSON-RPC code of the protocol for a request that was given up. */
function isTimeout(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === -32_001;
}

const mostCharacters = 1_000;

function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.slice(0, mostCharacters).toWellFormed();
}

function withWords(problem: string, words: string): string {
  return words === "" ? problem : `${problem}; it said: ${words}`;
}
