import type { CheckResult, Reason, Result, TaskResult } from "../protocol/result.ts";
import { visible } from "../protocol/visible.ts";
import type { Terminal } from "./terminal.ts";
import { columns, count, duration, oneLine } from "./words.ts";

/** A result for a person: the verdict first, then why, who, what was denied or left, and what to do next. */
export interface VerdictOptions {
  /** Every task, not only those that did not go as asked. */
  isFull: boolean;
}

export function renderVerdict(result: Result, terminal: Terminal, { isFull }: VerdictOptions): string[] {
  const told = [...why(result), ...who(result, isFull), ...checks(result), ...denied(result), ...left(result, isFull)];
  // What others wrote is made harmless before our own colours come to it.
  return [headline(result, terminal), ...told.map(visible), ...next(result, terminal)];
}

function headline(result: Result, terminal: Terminal): string {
  const took = duration(Date.parse(result.ended_at) - Date.parse(result.started_at));
  const cost = result.usage.cost_known ? `$${result.usage.cost_usd.toFixed(2)}` : "cost unknown";
  const word = terminal.style(result.exit_code === 0 ? "green" : "red", result.outcome.toUpperCase());
  const rest = [
    result.job.handle,
    `exit ${result.exit_code}`,
    took,
    cost,
    `base ${result.base_commit.slice(0, 12)}`,
    published(result),
  ];
  return [word, ...rest.map(visible)].join("  ");
}

function published(result: Result): string {
  if (!result.published) return "nothing published";
  return "branch" in result.published ? `branch ${result.published.branch}` : `patch ${result.published.patch_file}`;
}

function why({ reason }: Result): string[] {
  if (!reason) return [];
  return [...reasonLines("WHY   ", reason), ...(reason.remedy ? [`       try: ${reason.remedy}`] : [])];
}

function reasonLines(label: string, reason: Reason): string[] {
  const place = reason.task ? `${reason.task}: ` : "";
  const log = reason.log ? tail(reason.log, 12).map((line) => `       | ${line}`) : [];
  return [`${label} ${place}${reason.message}`, ...log];
}

function who({ tasks }: Result, isFull: boolean): string[] {
  const landed = tasks.filter((task) => task.landed);
  const sum = (pick: (task: TaskResult) => number) => landed.reduce((total, task) => total + pick(task), 0);
  const changed = `${count(
    sum((task) => task.files_changed),
    "file",
  )} +${sum((task) => task.insertions)} -${sum((task) => task.deletions)}`;
  const lines = [
    `TASKS  ${landed.length} of ${tasks.length} landed${landed.length > 0 ? `: ${changed}` : ""}`,
    ...reused(tasks),
  ];
  const shown = tasks.filter((task) => isFull || (!task.landed && task.state !== "no_changes"));
  const rows = shown
    .slice(0, isFull ? shown.length : 20)
    .map((task) => [
      `       ${task.id}`,
      task.landed ? "landed" : task.state,
      count(task.files_changed, "file"),
      `+${task.insertions} -${task.deletions}`,
      oneLine(task.reason?.message ?? task.summary ?? "", 120),
      ...(task.patch_file ? [`patch ${task.patch_file}`] : []),
    ]);
  return [...lines, ...columns(rows)];
}

/** Nobody is to believe that something was done here which was done elsewhere. */
function reused(tasks: readonly TaskResult[]): string[] {
  const from = tasks.flatMap((task) => task.reused_from?.job ?? []);
  if (from.length === 0) return [];
  const jobs = [...new Set(from)];
  const more = jobs.length > 3 ? ` and ${jobs.length - 3} more` : "";
  return [
    `REUSED ${count(from.length, "task")} as done by ${jobs.slice(0, 3).join(", ")}${more}; --fresh does them again`,
  ];
}

function checks(result: Result): string[] {
  return result.checks.flatMap((check) => [
    `CHECK  ${check.state.padEnd(10)} ${oneLine(check.name, 100)}  ${check.detail ?? ""}  ${duration(check.duration_ms)}`,
    ...tailOf(check, result),
  ]);
}

function tailOf(check: CheckResult, result: Result): string[] {
  // The reason has shown it already when this is the check that decided.
  if (!check.tail || result.reason?.check === check.name) return [];
  return tail(check.tail, 12).map((line) => `       | ${line}`);
}

function denied({ denials }: Result): string[] {
  if (denials.length === 0) return [];
  const lines = denials.slice(0, 10).map(({ task, tool, input, rule, reason }) => {
    return `       ${task}: ${tool} ${oneLine(input, 80)}  (${rule}: ${oneLine(reason, 160)})`;
  });
  const more = denials.length > 10 ? [`       and ${denials.length - 10} more`] : [];
  return [`DENIED ${denials.length}`, ...lines, ...more];
}

function left(result: Result, isFull: boolean): string[] {
  const places = result.tasks.flatMap((task) => task.leftovers ?? []);
  const lines = places.map((place) => {
    const text = place.text ? `  ${oneLine(place.text, 60)}` : "";
    return `       ${place.path}:${place.line}:${place.column}${text}  (${oneLine(place.reason, 120)})`;
  });
  lines.push(...(result.unsplit ?? []).map(({ path, reason }) => `       ${path}  (${reason})`));
  if (lines.length === 0) return [];
  const most = isFull ? 100 : 8;
  const more =
    lines.length > most
      ? [`       and ${lines.length - most} more: sheaf show ${result.job.handle} --output-format json`]
      : [];
  return [`LEFT   ${count(lines.length, "place")} seen and left alone`, ...lines.slice(0, most), ...more];
}

function next({ next: steps }: Result, terminal: Terminal): string[] {
  const rows = columns(steps.map(({ command, why: purpose }) => [visible(command), terminal.style("dim", purpose)]));
  return rows.map((row, index) => `${index === 0 ? "NEXT  " : "      "} ${row}`);
}

function tail(text: string, most: number): string[] {
  return text.trimEnd().split("\n").slice(-most);
}
