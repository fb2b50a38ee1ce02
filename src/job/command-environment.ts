import { Fault } from "../protocol/failure.ts";
import type { JobSpec } from "../protocol/job.ts";
import { inputVariable } from "../protocol/job-file-input.ts";
import type { Task } from "../protocol/task.ts";

type Named = Pick<Task, "id" | "item" | "files">;

/** Linux takes 128 KB of one variable. */
const mostBytes = 100_000;

/**
 * What a command is told of its task, as environment: the only way a value reaches a shell. `task` is undefined for a
 * command about a whole tree. A list of files that no variable can hold is left out; `fillStep` refuses the command
 * that asks for it.
 */
export function commandEnvironment(task: Named | undefined, inputs: JobSpec["inputs"]): Record<string, string> {
  const given = Object.entries(inputs).map(([name, { value }]) => [inputVariable(name), value] as const);
  return { ...Object.fromEntries(given), ...(task ? ofTask(task) : {}) };
}

function ofTask({ id, item, files }: Named): Record<string, string> {
  return {
    SHEAF_TASK_ID: id,
    ...(item.path === undefined ? {} : { SHEAF_ITEM_PATH: item.path }),
    ...(item.name === undefined ? {} : { SHEAF_ITEM_NAME: item.name }),
    ...(item.owner === undefined ? {} : { SHEAF_ITEM_OWNER: item.owner }),
    ...(unlistable(files) === undefined ? { SHEAF_TASK_FILES: files.join("\n") } : {}),
  };
}

/** Refuses a shell command that asks for `SHEAF_TASK_FILES` where it cannot be given. Throws Fault `job_file`. */
export function refuseUnlistable(run: string, { id, files }: Named): void {
  const reason = run.includes("SHEAF_TASK_FILES") ? unlistable(files) : undefined;
  if (reason === undefined) return;
  throw new Fault("job_file", `task ${JSON.stringify(id)}: its command asks for SHEAF_TASK_FILES, and ${reason}`, {
    remedy: `write the command as a list of words with \${{ task.files }}, or make smaller tasks`,
  });
}

function unlistable(files: readonly string[]): string | undefined {
  const broken = files.find((path) => path.includes("\n"));
  if (broken !== undefined) return `the name ${JSON.stringify(broken.slice(0, 60))} holds a line break`;
  const bytes = files.reduce((sum, path) => sum + Buffer.byteLength(path) + 1, 0);
  return bytes > mostBytes
    ? `its ${files.length} files have ${bytes} bytes of names, more than a variable holds`
    : undefined;
}
