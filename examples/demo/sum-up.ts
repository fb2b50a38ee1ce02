import { isAbsolute, join, relative } from "node:path";
import { styleText } from "node:util";
import { columns, count, duration } from "../../src/cli/words.ts";
import type { Result } from "../../src/protocol/result.ts";
import { shellWord } from "./shell-word.ts";

/** What a result amounts to, and the commands that go on from it. */
export interface Landed {
  tasks: number;
  files: number;
  insertions: number;
  deletions: number;
}

export function landedOf({ tasks }: Result): Landed {
  const landed = tasks.filter((task) => task.landed);
  const sum = (pick: (task: Result["tasks"][number]) => number) => landed.reduce((all, task) => all + pick(task), 0);
  return {
    tasks: landed.length,
    files: sum((task) => task.files_changed),
    insertions: sum((task) => task.insertions),
    deletions: sum((task) => task.deletions),
  };
}

/** `problem` is why this run is not what it should be. */
export function lastLine(result: Result, problem: string | undefined): string {
  const took = duration(Date.parse(result.ended_at) - Date.parse(result.started_at));
  const money = `$${result.usage.cost_usd.toFixed(2)}`;
  if (problem !== undefined) return `${styleText("red", "FAILED")} ${result.outcome}: ${problem}; ${took}, ${money}`;
  const { tasks, files, insertions, deletions } = landedOf(result);
  const denied = result.denials.length > 0 ? `, ${count(result.denials.length, "tool call")} denied` : "";
  const changed = `${count(files, "file")} +${insertions} -${deletions}`;
  return `${styleText("green", "DONE")}   ${tasks} of ${result.tasks.length} landed${denied}; ${changed}; ${took}, ${money}`;
}

export type NextStep = readonly [why: string, command: string];

export function nextLines(steps: readonly NextStep[]): string[] {
  return columns(steps.map(([why, command]) => [`  ${why}`, command]));
}

/** The `sheaf` of this checkout as it can be pasted where the demo was started, with the demo's own data. */
export function sheafCommand(words: string, { home, startedIn }: { home: string; startedIn: string }): string {
  const settings = [`SHEAF_HOME=${shellWord(home)}`, ...(process.env.DATABASE_URL ? ["DATABASE_URL="] : [])];
  return `${settings.join(" ")} ${npmRun(startedIn, "-s sheaf")} -- ${words}`;
}

/** npm finds the package from any folder inside it. */
export function npmRun(startedIn: string, script: string): string {
  const checkout = join(import.meta.dirname, "../..");
  const way = relative(checkout, startedIn);
  const isInside = !way.startsWith("..") && !isAbsolute(way);
  return isInside ? `npm run ${script}` : `npm --prefix ${shellWord(checkout)} run ${script}`;
}
