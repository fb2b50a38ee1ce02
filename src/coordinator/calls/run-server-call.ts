import { storeArtifact } from "../../db/store-artifact.ts";
import { answerText, type Payload } from "../../tool-servers/answer-text.ts";
import type { Answered } from "../../tool-servers/tool-server.ts";
import type { AllowedCall } from "./call-book.ts";
import { type CommandPlace, startSpan, type Told } from "./run-tool-command.ts";
import { shownOutput } from "./tool-command-text.ts";
import { toolServerOf } from "./tool-servers.ts";

/**
 * Calls a tool of a server for an agent that was allowed to, as the log has the call, and writes down what came back.
 * That is text from outside: secrets are taken out of it, it is cut, and nothing in it is believed.
 */
export async function runServerCall(call: AllowedCall<"server">, place: CommandPlace): Promise<Told> {
  const span = startSpan(call, place);
  try {
    const began = place.equipment.clock.now();
    const answered = await ask(call, place, span.traceparent);
    const durationMs = place.equipment.clock.now() - began;
    const isError = "problem" in answered || answered.isError;
    const { content, sha256 } = await shownAnswer(answered, call, place);
    const receipt = {
      server: call.server,
      name: call.name,
      duration_ms: Math.round(durationMs),
      output_sha256: sha256,
    };
    const data = { call_id: call.callId, tool: call.tool, is_error: isError, content, receipt };
    span.end(isError ? { status: "error", message: content.slice(0, 200) } : {});
    await place.job.logRun(place.run, [{ type: "tool.finished", data }], span.spanId);
    return { content, isError, denials: [], artifact: sha256 };
  } finally {
    span.end({ status: "error", message: "stopped" });
  }
}

/** Of one call; a run whose time is over does not wait for it. */
const callMs = 120_000;

/** A run that ends has no use for what comes back; the server is told so. */
async function ask(call: AllowedCall<"server">, place: CommandPlace, traceparent: string): Promise<Answered> {
  const server = await toolServerOf(call.server, place);
  if (!server) return { problem: `the job has no server ${call.server}` };
  const signal = AbortSignal.any([place.signal, place.job.signal]);
  try {
    return await server.call(call.name, call.input, { signal, timeoutMs: callMs, traceparent });
  } catch (thrown) {
    if (signal.aborted) return { problem: "stopped: the run is over" };
    throw thrown;
  }
}

/** Characters of an answer that are kept at all, and bytes of what comes apart from it. */
const mostKept = 1_000_000;

async function shownAnswer(
  answered: Answered,
  { server }: AllowedCall<"server">,
  { equipment }: CommandPlace,
): Promise<{ content: string; sha256: string }> {
  const payloads: Payload[] = [];
  const note = (payload: Payload) => `{payload ${payloads.push(payload)}}`;
  const said =
    "problem" in answered
      ? `the server ${server} did not answer: ${answered.problem}`
      : answerText(answered.content, answered.structured, note);
  const notes = await Promise.all(payloads.map((payload) => keepPayload(payload, equipment)));
  const noted =
    payloads.length === 0 ? said : said.replace(/\{payload (\d+)\}/g, (whole, at) => notes[at - 1] ?? whole);
  const whole = equipment.redact(noted.toWellFormed());
  const isLong = whole.length > mostKept;
  const text = isLong ? `${whole.slice(0, mostKept)}\n[cut: it had ${whole.length} characters]`.toWellFormed() : whole;
  const sha256 = await storeArtifact(Buffer.from(text), "text/plain", equipment.database);
  return { content: shownOutput(text, sha256), sha256 };
}

async function keepPayload({ mediaType, bytes }: Payload, { redact, database }: CommandPlace["equipment"]) {
  const what = `${mediaType}, ${bytes.length} bytes`;
  if (bytes.length > mostKept) return `[${what}: too much to be kept]`;
  const kept = Buffer.from(redact(bytes.toString("latin1")), "latin1");
  return `[${what}: kept as artifact ${await storeArtifact(kept, mediaType, database)}]`;
}
