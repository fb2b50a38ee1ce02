import type { InputValue } from "../protocol/job.ts";
import type { Task } from "../protocol/task.ts";

/**
 * What a command is told by its environment. The system takes no variable above 128 kB: one that long is left out, and
 * a command that names it is refused by the system's own words instead of working on nothing.
 */
export function commandVariables(
  task: Pick<Task, "id" | "item" | "files">,
  inputs: Readonly<Record<string, InputValue>>,
  run: string | readonly string[],
): Record<string, string> {
  const all = Object.entries(commandEnvironment(task, inputs));
  const text = typeof run === "string" ? run : run.join(" ");
  return Object.fromEntries(all.filter(([name, value]) => value.length < longest || text.includes(name)));
}

/** Linux: MAX_ARG_STRLEN, 32 pages, name included; in bytes, of which a character has up to three. */
const longest = 40_000;

function commandEnvironment(
  task: Pick<Task, "id" | "item" | "files">,
  inputs: Readonly<Record<string, InputValue>>,
): Record<string, string> {
  const item = Object.entries(task.item).map(([name, value]) => [`SHEAF_ITEM_${name.toUpperCase()}`, value]);
  const given = Object.entries(inputs).map(([name, { value }]) => [
    `SHEAF_INPUT_${name.toUpperCase().replaceAll("-", "_")}`,
    value,
  ]);
  return Object.fromEntries([
    ...item,
    ["SHEAF_TASK_ID", task.id],
    ["SHEAF_TASK_FILES", task.files.join("\n")],
    ...given,
  ]);
}
