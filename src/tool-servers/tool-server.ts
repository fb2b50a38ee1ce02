import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { type Connection, connect, type RawAnswer } from "./connection.ts";
import { hashOf, type PinnedTool, pinTools } from "./pin-tools.ts";

/**
 * A server of tools for the length of a job: begun when it is first asked for, begun once more when it is lost, and given
 * up then. Its tools are those that it listed first; one that has changed since is not called.
 */
export interface Door {
  /** How often it is begun at most. */
  mostStarts: number;
  /** A new way to the server. Transports are tried in their order until one connects. */
  open(): Promise<{ transports: readonly (() => Transport)[]; close(): Promise<void>; lastWords(): string }>;
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
}

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

  /** Listed once, for all runs of the job. */
  tools(): Promise<Listed> {
    this.#pinned ??= this.#list();
    return this.#pinned;
  }

  /** `name` is the pinned one. Rejects with the signal's reason; whatever else goes wrong is a problem. */
  async call(
    name: string,
    input: Readonly<Record<string, unknown>>,
    options: { signal: AbortSignal; timeoutMs: number; traceparent: string },
  ): Promise<Answered> {
    const listed = await this.tools();
    if ("problem" in listed) return listed;
    const tool = listed.tools.find((each) => each.name === name);
    if (!tool) return { problem: `it has no tool ${name}` };
    try {
      const held = await this.#connected();
      if (!(await isUnchanged(tool, held, options.signal))) return { problem: changed };
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
        if (this.#starts >= this.#door.mostStarts || this.#over.signal.aborted) return { problem };
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
      const connection = await firstOf(opened.transports, this.#over.signal);
      // Begun anew, it may be another one than it was.
      connection.isStale = this.#starts > 1;
      return { connection, close: opened.close, lastWords: opened.lastWords };
    } catch (thrown) {
      await opened.close();
      throw new Error(withWords(messageOf(thrown), opened.lastWords()));
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

async function isUnchanged(tool: PinnedTool, held: Held, signal: AbortSignal): Promise<boolean> {
  const { connection } = held;
  if (connection.isStale || !connection.tellsChanges) {
    connection.isStale = false;
    const listed = await connection.list(signal);
    held.now = new Map(listed.map((each) => [each.name, hashOf(each)]));
  }
  return held.now === undefined || held.now.get(tool.own) === tool.sha256;
}

async function firstOf(transports: readonly (() => Transport)[], signal: AbortSignal): Promise<Connection> {
  let first: unknown;
  for (const open of transports) {
    try {
      return await connect(open(), signal);
    } catch (thrown) {
      first ??= thrown;
    }
  }
  throw first;
}

/** An error that the server answered with, or that stands for the lack of an answer. */
function isAnswer(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "McpError";
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
