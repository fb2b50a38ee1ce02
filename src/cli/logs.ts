import type { Coordinator } from "../coordinator/coordinator.ts";
import type { Event } from "../protocol/event.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import type { AnswerBlock } from "../protocol/message.ts";
import type { Recording } from "../protocol/recording.ts";
import { createRecorder } from "../transcript/record.ts";
import { requireJob } from "./find-job.ts";
import { formatOption } from "./options.ts";
import type { Verb } from "./verb.ts";
import { oneLine } from "./words.ts";

export const addLogs: Verb = (program, around) => {
  program
    .command("logs")
    .description("A job's events, in the order they were stored")
    .argument("[job]", "id, handle or last", "last")
    .option("--task <id>", "only this task's")
    .option("-f, --follow", "wait for more until the job has ended")
    .addOption(
      formatOption(["text", "json", "recording"], "text, json for one event a line, or recording for replay/FILE.json"),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  sheaf logs last --task part-2\n  sheaf logs last --output-format json | jq .type" +
        "\n  sheaf logs lint-7 --output-format recording > lint-7.json",
    )
    .action(async (name: string, options: { task?: string; follow?: boolean; outputFormat: string }) => {
      await using session = await around.open("logs");
      const { coordinator } = session;
      const job = await requireJob(name, coordinator);
      if (options.outputFormat === "recording") {
        refuseOfPart(options);
        around.terminal.print(JSON.stringify(await recordingOf(job.id, coordinator)));
        return;
      }
      const away = new AbortController();
      const release = around.onSignal(() => away.abort());
      const show = options.outputFormat === "json" ? (event: Event) => JSON.stringify(event) : lineOf;
      for await (const { event, task } of withTasks(
        eventsOf(job.id, coordinator, { isFollowed: options.follow === true, signal: away.signal }),
      )) {
        if (options.task === undefined || task === options.task) around.terminal.print(show(event, task));
      }
      release();
    });
};

function refuseOfPart({ task, follow }: { task?: string; follow?: boolean }): void {
  if (task === undefined && !follow) return;
  throw new Fault("usage", "a recording is of a whole job that has ended", { remedy: "leave out --task and --follow" });
}

async function recordingOf(id: JobId, coordinator: Coordinator): Promise<Recording> {
  const recorder = createRecorder();
  const all = eventsOf(id, coordinator, { isFollowed: false, signal: new AbortController().signal });
  for await (const event of all) recorder.add(event);
  return recorder.recording();
}

/** Each event with the task it belongs to; a run's own events follow the fact that started it. */
async function* withTasks(events: AsyncGenerator<Event>): AsyncGenerator<{ event: Event; task: string | undefined }> {
  const runs = new Map<string, string>();
  for await (const event of events) {
    if (event.type === "task.started") runs.set(event.data.run_id, event.data.task_id);
    yield { event, task: taskOf(event) ?? runs.get(event.run_id) };
  }
}

/** Batch by batch, so that a long log needs no memory of its own. */
async function* eventsOf(
  id: JobId,
  coordinator: Coordinator,
  options: { isFollowed: boolean; signal: AbortSignal },
): AsyncGenerator<Event> {
  for await (const batch of coordinator.events(id, { after: 0, ...options })) {
    for (const { event } of batch) yield event;
  }
}

function taskOf(event: Event): string | undefined {
  return "task_id" in event.data ? String(event.data.task_id) : undefined;
}

function lineOf(event: Event, task: string | undefined): string {
  const at = new Date(event.at).toISOString().slice(11, 23);
  return `${at}  ${(task ?? "").padEnd(12)} ${event.type.padEnd(16)} ${detailOf(event)}`.trimEnd();
}

/** What a person wants to see of an event on one line; the whole is in the json form. */
function detailOf(event: Event): string {
  switch (event.type) {
    case "tool.finished":
      return `${event.data.tool} ${event.data.is_error ? "failed: " : ""}${oneLine(event.data.content, 120)}`;
    case "tool.denied":
      return `${event.data.tool} ${oneLine(event.data.input, 80)} (${event.data.rule}: ${oneLine(event.data.reason)})`;
    case "turn.finished":
      return oneLine(event.data.answer.map(shownBlock).join(" "));
    case "turn.failed":
      return `turn ${event.data.turn}: ${oneLine(event.data.reason, 120)}${event.data.is_billed ? " (may be billed)" : ""}`;
    case "job.created":
      return `${event.data.handle} at ${event.data.spec.base.commit}`;
    case "job.planned":
      return `${event.data.strategy}: ${event.data.tasks.length} tasks`;
    case "job.finished":
      return `${event.data.outcome}, exit ${event.data.exit_code}`;
    default:
      return oneLine(JSON.stringify(event.data), 120);
  }
}

function shownBlock(block: AnswerBlock): string {
  if (block.type === "text") return block.text;
  return block.type === "tool_use" ? `[${block.name}]` : "[thought]";
}
