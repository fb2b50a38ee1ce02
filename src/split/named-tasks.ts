import { Fault } from "../protocol/failure.ts";
import { type TaskId, taskId } from "../protocol/ids.ts";
import type { NamedTask } from "../protocol/job.ts";
import type { PathPattern } from "../protocol/scope.ts";
import { indexOf } from "./file-index.ts";
import { basenameOf } from "./folders.ts";
import type { Part, SplitView } from "./split-view.ts";

/** The tasks as the job writes them, each after all it needs and otherwise in the order they are written. */
export function namedTasks(tasks: readonly NamedTask[], isWanted: SplitView["covers"], view: SplitView): Part[] {
  const index = indexOf(view);
  return [...inOrder(tasks)].map((task) => {
    const about = task.items ?? task.writes;
    const files = [...new Set(about.flatMap((pattern) => index.covered(pattern)))].sort();
    if (files.length === 0 && task.items?.every(isWildcard)) throw nothingThere(task.id);
    return {
      id: taskId.parse(task.id),
      title: task.title ?? task.id,
      item: itemOf(about, files),
      needs: [...new Set(task.needs ?? [])].map((need): TaskId => taskId.parse(need)),
      files: files.filter((path) => isWanted(task.steps, path)),
      writes: task.writes,
      steps: task.steps,
      ...(task.checks ? { own_checks: task.checks } : {}),
    };
  });
}

/** A path may be one that is made on the way; a pattern that matches nothing is a mistake. */
function isWildcard(pattern: PathPattern): boolean {
  return "glob" in pattern && /[*?[]/.test(pattern.glob);
}

function nothingThere(id: string): Fault {
  return new Fault("job_file", `tasks: nothing in the repository matches the items of ${JSON.stringify(id)}`, {
    remedy: "name tracked files, directories, or globs that match some",
  });
}

/** What it is about has a path where that is one file, or one folder. */
function itemOf(about: readonly PathPattern[], files: readonly string[]): Record<string, string> {
  const [only] = about.length === 1 ? about : [];
  const path = only && (folderOf(only) ?? (files.length === 1 ? files[0] : undefined));
  return path === undefined ? {} : { path, name: basenameOf(path) };
}

function folderOf(pattern: PathPattern): string | undefined {
  if ("directories" in pattern && pattern.directories.length === 1) return pattern.directories[0] || ".";
  if (!("glob" in pattern)) return undefined;
  const plain = pattern.glob.replace(/\/(\*\*)?$/, "").replace(/^\//, "");
  return plain !== "" && !/[*?[\\]/.test(plain) && pattern.glob.includes("/") ? plain : undefined;
}

interface Sorting {
  known: ReadonlyMap<string, NamedTask>;
  /** In the order they may run. */
  done: Set<NamedTask>;
  /** From a task down to the need of a need that is looked at now. No call for each: a chain may be long. */
  open: { task: NamedTask; left: string[] }[];
  isOpen: Set<NamedTask>;
}

function inOrder(tasks: readonly NamedTask[]): Set<NamedTask> {
  const sorting: Sorting = {
    known: new Map(tasks.map((task) => [task.id, task])),
    done: new Set(),
    open: [],
    isOpen: new Set(),
  };
  for (const task of tasks) {
    if (!sorting.done.has(task)) enter(task, sorting);
    for (let top = sorting.open.at(-1); top; top = sorting.open.at(-1)) goOn(top, sorting);
  }
  return sorting.done;
}

function goOn({ task, left }: Sorting["open"][number], sorting: Sorting): void {
  const id = left.shift();
  const need = id === undefined ? undefined : sorting.known.get(id);
  if (id === undefined) {
    sorting.open.pop();
    sorting.isOpen.delete(task);
    sorting.done.add(task);
  } else if (!need) {
    throw new Fault("job_file", `task ${task.id} needs ${JSON.stringify(id)}, which is no task of this job`);
  } else if (sorting.isOpen.has(need)) {
    const remedy = "break the circle of needs";
    throw new Fault("job_file", `task ${task.id} needs ${id}, which needs ${task.id} in turn`, { remedy });
  } else if (!sorting.done.has(need)) {
    enter(need, sorting);
  }
}

function enter(task: NamedTask, { open, isOpen }: Sorting): void {
  open.push({ task, left: [...(task.needs ?? [])] });
  isOpen.add(task);
}
