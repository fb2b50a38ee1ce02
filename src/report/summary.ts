import type { CheckResult, Result, TaskResult } from "../protocol/result.ts";
import { type Block, fence, inline, page, paragraph, table } from "./markdown.ts";

/** Bytes of a page: GitHub takes 1 MiB a step, and drops all of one that is larger. */
export const mostSummaryBytes = 900_000;

/** A result as one Markdown page for a reviewer: the verdict first, then why, and only then who did what. */
export function renderSummary(result: Result, { maxBytes }: { maxBytes: number }): string {
  const blocks = [
    ...verdict(result),
    ...checks(result),
    ...tasks(result),
    ...denials(result),
    ...leftovers(result),
    ...next(result),
  ];
  return page(blocks, maxBytes);
}

function verdict(result: Result): Block[] {
  const { outcome, exit_code, reason, job } = result;
  const isGreen = exit_code === 0;
  const title = `## ${isGreen ? "✅" : "❌"} Sheaf: ${outcome} (exit ${exit_code})`;
  const why = reason
    ? [`**Why** ${reason.task ? `${inline(reason.task)}: ` : ""}${inline(reason.message, 1_000)}`, ""]
    : [];
  const remedy = reason?.remedy ? [`**Try** ${inline(reason.remedy, 1_000)}`, ""] : [];
  const rows = [
    ["Job", inline(job.handle || job.name)],
    ["Took", length(Date.parse(result.ended_at) - Date.parse(result.started_at))],
    ["Base", inline(result.base_commit)],
    ["Result", result.result_commit === null ? "nothing landed" : inline(result.result_commit)],
    ["Published", published(result)],
    ["Trace", inline(result.trace_id)],
  ].filter(([, value]) => value !== "");
  return [paragraph(title, "", ...why, ...remedy), ...(reason?.log ? [fence(reason.log)] : []), table(["", ""], rows)];
}

function published({ published: done }: Result): string {
  if (!done) return "nothing";
  return "branch" in done ? `branch ${inline(done.branch)}` : `patch ${inline(done.patch_file)}`;
}

function checks({ checks: all, reason }: Result): Block[] {
  if (all.length === 0) return [];
  const passed = all.filter(({ state }) => state === "passed").length;
  const rows = troubleFirst(all, ({ state }) => state === "passed").map((check) => [
    `${markOf(check.state === "passed", check.state === "skipped")} ${check.state}`,
    `${inline(check.name)}${check.task === undefined ? "" : ` on ${inline(check.task)}`}`,
    inline(check.detail ?? ""),
    length(check.duration_ms),
  ]);
  const untold = all.filter((check) => check.state !== "passed" && check.name !== reason?.check);
  return [
    paragraph(`### Checks: ${passed} of ${all.length} passed`, ""),
    table(["", "Check", "", "Took"], rows, { left: "checks" }),
    ...untold.slice(0, 5).flatMap(whatItSaid),
  ];
}

function whatItSaid({ name, failing = [], tail }: CheckResult): Block[] {
  const names =
    failing.length === 0
      ? []
      : [
          table(
            ["New failures"],
            failing.map((each) => [inline(each)]),
            { mostRows: 20, left: "failures" },
          ),
        ];
  return [...names, ...(tail ? [paragraph(`The end of what ${inline(name)} printed:`, ""), fence(tail)] : [])];
}

function tasks({ tasks: all }: Result): Block[] {
  if (all.length === 0) return [];
  const landed = all.filter((task) => task.landed);
  const sum = (pick: (task: TaskResult) => number) => landed.reduce((total, task) => total + pick(task), 0);
  const files = sum((task) => task.files_changed);
  const change = `${files} ${files === 1 ? "file" : "files"}, +${sum((task) => task.insertions)} -${sum((task) => task.deletions)}`;
  const rows = troubleFirst(all, isWell).map((task) => [
    `${markOf(isWell(task), false)} ${task.landed ? "landed" : task.state}`,
    inline(task.id),
    String(task.files_changed),
    `+${task.insertions} -${task.deletions}`,
    inline(task.reason?.message ?? task.summary ?? ""),
    task.patch_file === undefined ? "" : inline(`patches/${task.id}.patch`),
  ]);
  return [
    paragraph(`### Tasks: ${landed.length} of ${all.length} landed (${change})`, ""),
    table(["", "Task", "Files", "Lines", "", "Patch"], rows, { left: "tasks" }),
  ];
}

function isWell(task: TaskResult): boolean {
  return task.landed || task.state === "no_changes";
}

function denials({ denials: all }: Result): Block[] {
  if (all.length === 0) return [];
  const rows = all.map(({ task, tool, input, rule, reason }) =>
    [task, tool, input, rule, reason].map((cell) => inline(cell)),
  );
  return [
    paragraph(`### Denied: ${all.length}`, ""),
    table(["Task", "Tool", "Asked for", "Rule", "Reason"], rows, { mostRows: 50, left: "denials" }),
  ];
}

function leftovers({ tasks: all, unsplit = [] }: Result): Block[] {
  const places = all
    .flatMap((task) => task.leftovers ?? [])
    .map(({ path, line, column, text, reason }) => {
      return [inline(`${path}:${line}:${column}`), inline(text, 100), inline(reason)];
    });
  const rows = [...places, ...unsplit.map(({ path, reason }) => [inline(path), "", inline(reason)])];
  if (rows.length === 0) return [];
  return [
    paragraph(`### Seen and left alone: ${rows.length}`, ""),
    table(["Place", "", "Reason"], rows, { mostRows: 50, left: "places" }),
  ];
}

function next({ next: steps }: Result): Block[] {
  if (steps.length === 0) return [];
  return [
    paragraph("### Next", ""),
    table(
      ["", ""],
      steps.map(({ command, why }) => [inline(command), inline(why)]),
    ),
  ];
}

/** What did not go well is what is read; its order among itself stays. */
function troubleFirst<Item>(items: readonly Item[], isFine: (item: Item) => boolean): Item[] {
  return [...items.filter((item) => !isFine(item)), ...items.filter(isFine)];
}

/** Never alone: the word stands beside it. */
function markOf(isGood: boolean, isSkipped: boolean): string {
  return isSkipped ? "➖" : isGood ? "✅" : "❌";
}

function length(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)}m${String(Math.floor(seconds % 60)).padStart(2, "0")}s`;
}
