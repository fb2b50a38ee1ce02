import { Stream } from "@anthropic-ai/sdk/streaming";
import type { Assembly } from "./assemble.ts";
import { asObject, parseJson } from "./json.ts";
import { ModelFailed } from "./model.ts";

/** Times of one attempt. Their end aborts it, with the reason. */
export interface Patience {
  /** A piece came: from now on it may be silent for as long as an answer that goes on may. */
  heard(): void;
  end(): void;
}

export function openPatience(stop: AbortController, limits: { firstMs: number; stallMs: number }): Patience {
  const giveUp = (what: string, ms: number) =>
    stop.abort(new ModelFailed("lost", `${what} for ${Math.round(ms / 1_000)} s`, { isBilled: true }));
  let timer = setTimeout(giveUp, limits.firstMs, "no answer began", limits.firstMs);
  let isBegun = false;
  return {
    heard() {
      if (isBegun) timer.refresh();
      else {
        isBegun = true;
        clearTimeout(timer);
        timer = setTimeout(giveUp, limits.stallMs, "the answer stood still", limits.stallMs);
      }
    },
    end: () => clearTimeout(timer),
  };
}

interface Ear {
  patience: Patience;
  began: () => void;
}

/** Reads an answer to its end, whichever of the two forms it has. `began` is told of its first piece. */
export async function listen(response: Response, assembly: Assembly, { patience, began }: Ear): Promise<void> {
  const form = response.headers.get("content-type") ?? "";
  if (/^text\/html\b/i.test(form)) throw new ModelFailed("refused", "the answer is a web page", { remedy });
  if (!/\bjson\b/i.test(form)) return await listenToStream(response, assembly, { patience, began });
  const message = asObject(parseJson(await textOf(response, patience)));
  if (!message) throw new ModelFailed("lost", "the answer is no JSON", { isBilled: true });
  began();
  assembly.takeWhole(message);
}

async function listenToStream(response: Response, assembly: Assembly, { patience, began }: Ear): Promise<void> {
  let isBegun = false;
  for await (const { data } of Stream.rawEvents(heardBy(response, patience))) {
    if (data === "" || data === "[DONE]") continue;
    const event = asObject(parseJson(data));
    if (!event) throw new ModelFailed("lost", "the stream of the answer holds what is no JSON", { isBilled: true });
    assembly.take(event);
    if (isBegun || event.type === "ping") continue;
    isBegun = true;
    began();
  }
}

const remedy = "check that the endpoint's address is that of the API, and not of a page about it";

async function textOf(response: Response, patience: Patience): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of piecesOf(response, patience)) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/** More than any model says; a server that does not end is left. */
const mostBytes = 64_000_000;

async function* piecesOf(response: Response, patience: Patience): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    patience.heard();
    bytes += chunk.length;
    if (bytes > mostBytes) throw new ModelFailed("lost", "the answer has no end", { isBilled: true });
    yield chunk;
  }
}

/** The SDK reads events from any body that can be iterated, and looks at nothing else of a response. */
function heardBy(response: Response, patience: Patience): Response {
  return { body: piecesOf(response, patience) } as unknown as Response;
}
