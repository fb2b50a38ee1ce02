import type { Event, Fact, FactData } from "../protocol/event.ts";
import type { RecordedResult, RecordedRun, RecordedTurn, Recording } from "../protocol/recording.ts";
import { denialText } from "./denial-text.ts";

/**
 * A recording as a projection of a job's log, event by event. It keeps what agents asked and were answered; prompts of
 * turns that were never answered, effects and trees stay in the log.
 */
export interface Recorder {
  add(event: Event): void;
  recording(): Recording;
}

export function createRecorder(): Recorder {
  const runs = new Map<string, Recording["runs"][number] & { current: Current }>();
  let job = "";
  return {
    add(event) {
      if (event.type === "job.created") job = event.data.handle;
      if (event.type === "run.started") {
        const { task_id, step, attempt, agent } = event.data;
        runs.set(event.run_id, { task_id, step, attempt, agent, turns: [], current: { results: [] } });
      }
      const run = runs.get(event.run_id);
      if (run) take(event, run, run.current);
    },
    recording: () => ({
      schema: "sheaf.recording/v1",
      job,
      runs: [...runs.values()].filter(({ turns }) => turns.length > 0).map(({ current: _, ...run }) => run),
    }),
  };
}

/** What has come together of a turn that has no answer yet. */
interface Current {
  started?: FactData<"turn.started">;
  results: RecordedResult[];
}

function take(fact: Fact, run: RecordedRun, current: Current): void {
  switch (fact.type) {
    case "turn.started":
      current.started = fact.data;
      return;
    case "turn.finished":
      run.turns.push(turnOf(fact.data, current));
      current.results = [];
      return;
    case "tool.finished":
      current.results = current.results.filter(({ call_id }) => call_id !== fact.data.call_id);
      current.results.push(recordedResultOf(fact.data));
      return;
    case "tool.denied": {
      const { call_id, tool } = fact.data;
      // What a command changed and may not is denied beside its result.
      if (current.results.some((result) => result.call_id === call_id)) return;
      current.results.push({ call_id, tool, is_error: true, text: denialText(fact.data) });
      return;
    }
    case "run.finished":
      run.state = fact.data.state;
      return;
    default:
      return;
  }
}

function turnOf(
  { turn, answer, stop, usage, model }: FactData<"turn.finished">,
  { started, results }: Current,
): RecordedTurn {
  return {
    turn,
    ...(started?.opening ? { opening: started.opening } : {}),
    results,
    answer,
    stop,
    usage,
    model: model ?? started?.model ?? "",
  };
}

/** Which bytes of a file were shown is known where the log only points at it; a kept output is shown in part. */
function recordedResultOf({
  call_id,
  tool,
  is_error,
  content: text,
  pointer,
}: FactData<"tool.finished">): RecordedResult {
  if (!pointer || pointer.path.startsWith("artifact:")) return { call_id, tool, is_error, text };
  const { path, sha256, view_range } = pointer;
  return { call_id, tool, is_error, text, file: { path, sha256, ...(view_range ? { view_range } : {}) } };
}
