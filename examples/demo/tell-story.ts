import { styleText } from "node:util";
import { columns, count, duration, oneLine } from "../../src/cli/words.ts";
import type { Fact, FactData } from "../../src/protocol/event.ts";
import type { Result } from "../../src/protocol/result.ts";

/** Says what happens while it happens. Every number is one of the log's; times are taken as the events come in. */
export interface Story {
  take(runId: string, fact: Fact): void;
  /** What only the result knows. */
  end(result: Result): void;
}

/** `onPlanned` hears how the job was split, before anything else is said. */
export function tellStory(onPlanned?: (planned: Planned) => void): Story {
  const tasks = new Map<string, TaskSeen>();
  let base: JobBase | undefined;
  return {
    take(runId, fact) {
      if (fact.type === "job.created") base = fact.data.spec.base;
      if (fact.type === "job.planned" && base) {
        for (const { id, files } of fact.data.tasks) tasks.set(id, { files: files.length, startedAt: 0, denials: [] });
        onPlanned?.({ ...fact.data, base });
      }
      follow(runId, fact, tasks);
    },
    end: ({ tasks: results, checks }) => {
      for (const line of [...checks.flatMap(checkLines), ...leftovers(results)]) say(line);
    },
  };
}

export type Planned = FactData<"job.planned"> & { base: JobBase };
type JobBase = FactData<"job.created">["spec"]["base"];

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

interface TaskSeen {
  files: number;
  runId?: string;
  startedAt: number;
  denials: FactData<"tool.denied">[];
}

function follow(runId: string, fact: Fact, tasks: Map<string, TaskSeen>): void {
  switch (fact.type) {
    case "task.started": {
      const task = tasks.get(fact.data.task_id);
      if (task) Object.assign(task, { runId: fact.data.run_id, startedAt: task.startedAt || performance.now() });
      return;
    }
    case "tool.denied":
      [...tasks.values()].find((task) => task.runId === runId)?.denials.push(fact.data);
      return;
    case "task.finished":
      for (const line of taskLines(fact.data, tasks)) say(line);
      return;
    case "merge.conflicted":
      say(`train  ${fact.data.task_id} left out: ${oneLine(fact.data.reason)}`);
      return;
    case "merge.folded":
      say(foldLine(fact.data));
  }
}

function foldLine({ folded, ms }: FactData<"merge.folded">): string {
  return `train  ${count(folded.length, "tree")} folded into one in ${milliseconds(ms)}, no checkout`;
}

function milliseconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : duration(ms);
}

function taskLines(data: FactData<"task.finished">, tasks: Map<string, TaskSeen>): string[] {
  const { files, startedAt, denials } = tasks.get(data.task_id) ?? { files: 0, startedAt: 0, denials: [] };
  const width = Math.max(...[...tasks.keys()].map((id) => id.length));
  const counts = `${amount(files)}  ${String(data.files_changed).padStart(5)} changed`;
  const took = startedAt === 0 ? "" : duration(performance.now() - startedAt).padStart(7);
  const how = data.failure ? `  ${data.state}: ${oneLine(data.failure.message, 100)}` : "";
  const rows = denials.map(({ tool, input, reason }) => [
    `    ${tool} ${oneLine(input, 60)}`,
    `${styleText("red", "DENIED")}  ${oneLine(reason, 100)}`,
  ]);
  return [`  ${data.task_id.padEnd(width)} ${counts}  ${took}${how}`, ...columns(rows)];
}

function amount(files: number): string {
  return `${String(files).padStart(5)} ${files === 1 ? "file " : "files"}`;
}

const mostLeftovers = 5;

function leftovers(tasks: Result["tasks"]): string[] {
  const places = tasks.flatMap((task) => task.leftovers ?? []);
  const lines = places.slice(0, mostLeftovers).map(({ path, line, reason }, index) => {
    return `${index === 0 ? "left " : "     "}  ${oneLine(path, 60)}:${line}  ${oneLine(reason, 100)}`;
  });
  const more = places.length - lines.length;
  return more > 0 ? [...lines, `       and ${count(more, "place")} more`] : lines;
}

function checkLines({ name, state, detail, tail, duration_ms: ms }: Result["checks"][number]): string[] {
  const isGreen = state === "passed";
  const word = isGreen ? styleText("green", "green") : styleText("red", state);
  const head = `check  "${oneLine(name, 80)}"  ${word}  ${isGreen ? "" : `${detail ?? ""}  `}${duration(ms)}`;
  const log = (tail ?? "").trimEnd().split("\n").slice(-8);
  return isGreen ? [head] : [head, ...log.map((line) => `       | ${oneLine(line)}`)];
}
