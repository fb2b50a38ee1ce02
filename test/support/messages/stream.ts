import type { ServerResponse } from "node:http";
import type { Body } from "./body.ts";
import type { Counted } from "./prompt-cache.ts";
import type { Answer, Spoken } from "./reply.ts";

/**
 * Sends an answer as the real endpoint does: every event in its order, usage at the front and at the end, in one piece or
 * at a pace. Resolves with the events that went out; those after a break never do.
 */
export async function sendStream(response: ServerResponse, sent: Sent): Promise<"whole" | "broken"> {
  const events = eventsOf(sent);
  const { break: broken, tokensPerSecond } = sent.spoken;
  const going = broken ? events.slice(0, broken.after) : events;
  if (tokensPerSecond === undefined) response.write(going.join(""));
  else await pace(response, going, 1_000 / tokensPerSecond);
  if (!broken) return end(response, "whole");
  if (broken.how === "stall") return "broken";
  if (broken.how === "disconnect") {
    // What was written is to arrive first.
    await new Promise((resolve) => setTimeout(resolve, 20));
    response.destroy();
    return "broken";
  }
  if (broken.how !== "end") response.write(errorEvent(broken.how));
  return end(response, "broken");
}

export interface Sent {
  answer: Answer;
  spoken: Spoken;
  body: Body;
  counted: Counted;
}

function end(response: ServerResponse, how: "whole" | "broken"): "whole" | "broken" {
  if (response.destroyed) return "broken";
  response.end();
  return how;
}

async function pace(response: ServerResponse, events: readonly string[], everyMs: number): Promise<void> {
  for (const event of events) {
    if (response.destroyed) return;
    response.write(event);
    if (event.startsWith("event: content_block_delta")) await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Characters of one delta: about a token. */
const deltaLength = 4;

/** Where nothing is paced, few large deltas: what a fast endpoint's batches look like. */
const batchLength = 96;

function eventsOf({ answer, spoken, body, counted }: Sent): string[] {
  const length = spoken.tokensPerSecond === undefined ? batchLength : deltaLength;
  const events = [
    event("message_start", { message: messageOf(answer, body, { ...counted, output_tokens: 1 }, []) }),
    event("ping", {}),
  ];
  for (const [index, block] of answer.content.entries()) {
    const isCut = answer.cutInput !== undefined && index === answer.content.length - 1;
    events.push(event("content_block_start", { index, content_block: emptied(block) }));
    for (const delta of deltasOf(block, { length, cut: isCut ? answer.cutInput : undefined })) {
      events.push(event("content_block_delta", { index, delta }));
    }
    events.push(event("content_block_stop", { index }));
  }
  events.push(
    event("message_delta", {
      delta: { stop_reason: answer.stop, stop_sequence: null },
      usage: { ...withoutParts(counted), output_tokens: answer.outputTokens },
    }),
    event("message_stop", {}),
  );
  return events;
}

function event(type: string, rest: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
}

function errorEvent(type: string): string {
  const message = type === "overloaded_error" ? "Overloaded" : "Internal server error";
  return event("error", { error: { type, message } });
}

function withoutParts({ cache_creation: _, ...counted }: Counted) {
  return counted;
}

type Said = Answer["content"][number];

function emptied(block: Said): Said {
  if (block.type === "text") return { ...block, text: "" };
  if (block.type === "tool_use") return { ...block, input: {} };
  if (block.type === "thinking") return { ...block, thinking: "", signature: "" };
  return block;
}

function* deltasOf(block: Said, { length, cut }: { length: number; cut: string | undefined }): Generator<object> {
  if (block.type === "text") {
    for (const text of pieces(block.text ?? "", length)) yield { type: "text_delta", text };
  } else if (block.type === "tool_use") {
    yield { type: "input_json_delta", partial_json: "" };
    for (const partial_json of pieces(cut ?? JSON.stringify(block.input), length)) {
      yield { type: "input_json_delta", partial_json };
    }
  } else if (block.type === "thinking") {
    for (const thinking of pieces(String(block.thinking), length)) yield { type: "thinking_delta", thinking };
    yield { type: "signature_delta", signature: block.signature };
  }
}

function* pieces(text: string, length: number): Generator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}

export function messageOf(
  { id, stop, content: whole }: Answer,
  { model }: Body,
  usage: Counted & { output_tokens: number },
  content?: readonly Said[],
) {
  return {
    ...{ id, type: "message", role: "assistant", model, content: content ?? whole },
    ...{ stop_reason: content ? null : stop, stop_sequence: null },
    usage: { ...usage, service_tier: "standard" },
  };
}
