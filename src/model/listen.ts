import { Stream } from "@anthropic-ai/sdk/streaming";
import type { Assembly } from "./assemble.ts";
import { asObject, parseJson } from "./json.ts";
import { ModelFailed } from "./model.ts";
import type { Patience } from "./patience.ts";

/**
 * Reads an answer to its end, whichever of the two forms it has; its first byte tells, for headers are often wrong. It
 * waits for nothing behind the end of the answer.
 */
export interface Ear {
  patience: Patience;
  /** Told of the first piece. */
  began: () => void;
  /** Breaks the connection. */
  leave: () => void;
}

export async function listen(response: Response, assembly: Assembly, ear: Ear): Promise<void> {
  const pieces = piecesOf(response, ear.patience);
  const held = await untilText(pieces);
  const first =
    held
      .at(-1)
      ?.toString("latin1")
      .replace(/^\xef\xbb\xbf/, "")
      .trimStart()[0] ?? "";
  const body = joined(held, pieces);
  if (first === "<") throw new ModelFailed("refused", "the answer is a web page", { remedy });
  if (first !== "{" && first !== "[") return await listenToStream(body, assembly, ear);
  const message = asObject(parseJson(await textOf(body, ear.patience)));
  if (!message) throw new ModelFailed("lost", "the answer is no JSON", { isBilled: true });
  ear.began();
  assembly.takeWhole(message);
}

const remedy = "check that the endpoint's address is that of the API, and not of a page about it";

/** The pieces up to the first that holds more than blanks. */
async function untilText(pieces: AsyncGenerator<Buffer>): Promise<Buffer[]> {
  const held: Buffer[] = [];
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    held.push(next.value);
    if (/[^\s\xef\xbb\xbf]/.test(next.value.toString("latin1"))) break;
  }
  return held;
}

async function* joined(held: readonly Buffer[], rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield* held;
  yield* rest;
}

async function listenToStream(body: AsyncGenerator<Buffer>, assembly: Assembly, ear: Ear): Promise<void> {
  const events = eventsIn(body);
  const spoke = spokenOnce(ear);
  for (let next = await events.next(); !next.done; next = await events.next()) {
    const { data, event: kind } = next.value;
    if (data === "" || data === "[DONE]") continue;
    const event = asObject(parseJson(data));
    if (!event) throw new ModelFailed("lost", "the stream of the answer holds what is no JSON", { isBilled: true });
    assembly.take(event, kind ?? "");
    if (assembly.ended() === "all") return letEnd(events, ear.leave);
    if (event.type !== "ping" && kind !== "ping") spoke();
  }
}

function spokenOnce({ patience, began }: Ear): () => void {
  let isBegun = false;
  return () => {
    patience.spoke();
    if (!isBegun) began();
    isBegun = true;
  };
}

/** The SDK reads events from any body that can be iterated, and looks at nothing else of a response. */
function eventsIn(body: AsyncGenerator<Buffer>): AsyncGenerator<{ event: string | null; data: string }, unknown> {
  return Stream.rawEvents({ body } as unknown as Response);
}

/** A body that was read to its end leaves its connection to the next request; one that does not end is left. */
function letEnd(events: AsyncGenerator<unknown>, leave: () => void): void {
  const timer = setTimeout(leave, lingerMs);
  timer.unref();
  const rest = async () => {
    for await (const _ of events);
  };
  rest()
    .catch(() => {})
    .finally(() => clearTimeout(timer));
}

const lingerMs = 1_000;

async function textOf(body: AsyncGenerator<Buffer>, patience: Patience): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    patience.spoke();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** More than any model says; a server that does not end is left. */
const mostBytes = 64_000_000;

async function* piecesOf(response: Response, patience: Patience): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    patience.heard();
    bytes += chunk.length;
    if (bytes > mostBytes) throw new ModelFailed("lost", "the answer has no end", { isBilled: true });
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}
