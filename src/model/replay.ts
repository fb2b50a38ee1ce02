import type { ThreadFact } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import type { ToolResult } from "../protocol/message.ts";
import type { RecordedResult, RecordedRun, RecordedTurn } from "../protocol/recording.ts";
import type { Opening } from "../protocol/run-fact.ts";
import type { Model, ModelAnswer, ModelRequest, StopReason } from "./model.ts";

/**
 * A recorded run in the seat of a model: asked the same, it answers the same, and asks nobody. It never guesses: the
 * first thing that is another than it was ends the run, by its name. What people or a budget said to the agent meanwhile
 * is not compared.
 */
export function replayModel(name: string, runs: readonly RecordedRun[]): Model {
  let chosen: RecordedRun | undefined;
  return {
    name,
    isReplay: true,
    async answer(request, { signal }) {
      signal.throwIfAborted();
      const asked = intentOf(request);
      chosen ??= chooseRun(runs, asked.opening);
      const turn = chosen?.turns[asked.turn - 1];
      const difference = chosen ? differenceAt(turn, { asked, request, run: chosen }) : "nothing was recorded of it";
      if (turn && difference === undefined) return answerOf(turn);
      throw new Fault("replay", `${name} has no answer to turn ${asked.turn}: ${difference}`, {
        remedy: "undo what changed since it was recorded, or record the job again with a model",
      });
    },
  };
}

interface Asked {
  turn: number;
  opening: Opening | undefined;
}

function intentOf({ news = [] }: ModelRequest): Asked {
  for (const fact of news) {
    if (fact.type === "turn.started") return { turn: fact.data.turn, opening: fact.data.opening };
  }
  throw new Fault("internal", "a recording was asked without the intent of the turn");
}

/** Several attempts, or several agents of one name, may stand under one task: the one that was asked the same. */
function chooseRun(runs: readonly RecordedRun[], opening: Opening | undefined): RecordedRun | undefined {
  const same = runs.filter(({ turns }) => turns[0]?.opening?.prompt === opening?.prompt);
  const some = same.length > 0 ? same : runs;
  return some.findLast(({ state }) => state === "succeeded") ?? some.at(-1);
}

function differenceAt(
  turn: RecordedTurn | undefined,
  { asked, request, run }: { asked: Asked; request: ModelRequest; run: RecordedRun },
): string | undefined {
  const count = run.turns.length;
  if (!turn) return `the recorded run had ${count} turn${count === 1 ? "" : "s"}`;
  if (turn.opening) return openingDifference(turn.opening, asked.opening);
  return resultsDifference(turn.results, request);
}

function openingDifference(was: Opening, is: Opening | undefined): string | undefined {
  if (!is) return "its opening is missing";
  if (was.system_sha256 !== is.system_sha256) return `its instructions are others ${hashes(was, is, "system_sha256")}`;
  if (was.tools_sha256 !== is.tools_sha256) return `its tools are others ${hashes(was, is, "tools_sha256")}`;
  if (was.brief_sha256 !== is.brief_sha256) return `the job's brief is another ${hashes(was, is, "brief_sha256")}`;
  return was.prompt === is.prompt
    ? undefined
    : `the task's prompt is another: ${textDifference(was.prompt, is.prompt)}`;
}

function hashes(was: Opening, is: Opening, key: "system_sha256" | "tools_sha256" | "brief_sha256"): string {
  return `(sha256 ${was[key].slice(0, 12)} recorded, ${is[key].slice(0, 12)} now)`;
}

function resultsDifference(
  recorded: readonly RecordedResult[],
  { messages, news = [] }: ModelRequest,
): string | undefined {
  const last = messages.at(-1);
  const results = last?.role === "user" ? last.content.filter((block) => block.type === "tool_result") : [];
  const given = new Map(results.map((result) => [result.tool_use_id, result]));
  for (const was of recorded) {
    const difference = resultDifference(was, given.get(was.call_id), fileIn(news, was.call_id));
    if (difference !== undefined) return `the result of ${was.tool} (${was.call_id}) ${difference}`;
  }
  return undefined;
}

type SeenFile = NonNullable<RecordedResult["file"]>;

function fileIn(news: readonly ThreadFact[], callId: string): SeenFile | undefined {
  for (const fact of news) if (fact.type === "tool.finished" && fact.data.call_id === callId) return fact.data.pointer;
  return undefined;
}

/** Where the log points at a file, its bytes are compared, and the lines that were shown. */
function resultDifference(
  was: RecordedResult,
  is: ToolResult | undefined,
  file: SeenFile | undefined,
): string | undefined {
  if (!is) return "is missing";
  const isError = is.is_error ?? false;
  if (was.is_error !== isError) return `is ${isError ? "an error" : "no error"} now: ${shorten(is.content)}`;
  if (!was.file) return was.text === is.content ? undefined : `is another: ${textDifference(was.text, is.content)}`;
  if (file?.sha256 !== was.file.sha256)
    return `shows another ${was.file.path} (sha256 of the file ${was.file.sha256.slice(0, 12)} recorded, ${file?.sha256.slice(0, 12) ?? "none"} now)`;
  const lines = ({ view_range: range }: SeenFile) => range?.join("-") ?? "none";
  return lines(was.file) === lines(file) ? undefined : `shows lines ${lines(file)}, not ${lines(was.file)}`;
}

/** Where two texts part, with a little of both. */
function textDifference(was: string, is: string): string {
  let at = 0;
  while (at < was.length && was[at] === is[at]) at += 1;
  const from = Math.max(0, at - 20);
  return `from character ${at + 1} on it was ${shorten(was.slice(from))} and is ${shorten(is.slice(from))}`;
}

function shorten(text: string): string {
  return JSON.stringify(text.length > mostShown ? `${text.slice(0, mostShown)}...` : text);
}

/** Characters of either side. */
const mostShown = 80;

function answerOf({ answer, stop, usage, model }: RecordedTurn): ModelAnswer {
  return { content: answer, stop: knownStop(stop), usage, model };
}

const stops: readonly StopReason[] = ["end_turn", "tool_use", "max_tokens", "refusal", "pause_turn", "too_long"];

function knownStop(stop: string): StopReason {
  return stops.find((one) => one === stop) ?? "end_turn";
}
