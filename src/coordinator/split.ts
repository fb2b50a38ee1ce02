import { Fault } from "../protocol/failure.ts";
import { type TaskId, taskId } from "../protocol/ids.ts";
import type { JobSpec, NamedTask, Split, Step } from "../protocol/job.ts";
import type { PathPattern } from "../protocol/scope.ts";
import type { Task, Unsplit } from "../protocol/task.ts";

/**
 * Cuts a job into tasks whose write sets are disjoint. Pure: the files come in, the plan goes out. What does not fit
 * the maxima is refused with the counts, never dropped.
 */
export interface SplitView {
  /** Files at the base that an agent may be given, sorted, as text. */
  files: readonly string[];
  /** Files that cannot be given to anyone, with the reason. */
  unsplit: readonly Unsplit[];
  threads: number;
  /** May a recipe of these steps have something to do in that file? True for steps that are no recipe. */
  covers(steps: readonly Step[], path: string): boolean;
  /** Does a gitignore-style pattern match? */
  matches(pattern: PathPattern, path: string): boolean;
}

export interface Plan {
  strategy: string;
  tasks: Task[];
  unsplit: Unsplit[];
}

/** Files of one task when nobody says: enough to be worth a thread, few enough that a lost one is cheap. */
const fewestFiles = 25;
const mostFiles = 500;
const tasksPerThread = 4;

export function planSplit(spec: JobSpec, view: SplitView): Plan {
  const parts = spec.tasks.length > 0 ? named(spec.tasks, view) : cut(spec.split, spec.each, view);
  const tasks = parts.map((part, ordinal): Task => ({ ...part, ordinal }));
  return { strategy: spec.tasks.length > 0 ? "tasks" : spec.split.by, tasks, unsplit: [...view.unsplit] };
}

type Part = Omit<Task, "ordinal">;

function cut(split: Split, steps: Step[], view: SplitView): Part[] {
  const files = view.files.filter((path) => view.covers(steps, path));
  switch (split.by) {
    case "none":
      return [part("all", "the whole repository", files, [{ directories: [""] }], steps)];
    case "files":
      return byFiles(split, files, steps, view.threads);
    case "directory":
      return byDirectory(split, files, steps);
    case "list":
      return byList(split, view, steps);
    case "workspace":
    case "match":
    case "owner":
    case "findings":
      throw new Fault("job_file", `split by ${split.by} is not built yet`);
  }
}

function byFiles(split: Extract<Split, { by: "files" }>, files: string[], steps: Step[], threads: number): Part[] {
  const fair = Math.ceil(files.length / (threads * tasksPerThread));
  const asked = split.tasks === undefined ? 0 : Math.ceil(files.length / split.tasks);
  const size = split.files ?? Math.max(Math.min(mostFiles, Math.max(fewestFiles, fair)), asked);
  const chunks: string[][] = [];
  for (let start = 0; start < files.length; start += size) chunks.push(files.slice(start, start + size));
  refuseTooMany(chunks.length, split.tasks, `${files.length} files in tasks of at most ${size}`);
  return chunks.map((chunk, index) => part(`part-${index + 1}`, `part ${index + 1}`, chunk, [{ files: chunk }], steps));
}

function byDirectory(split: Extract<Split, { by: "directory" }>, files: string[], steps: Step[]): Part[] {
  const groups = new Map<string, string[]>();
  for (const path of files) {
    const top = path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
    const group = groups.get(top);
    if (group) group.push(path);
    else groups.set(top, [path]);
  }
  const tooLarge = [...groups].filter(([, group]) => group.length > (split.files ?? Infinity));
  if (tooLarge.length > 0) {
    const counts = tooLarge.map(([top, group]) => `${top || "."} has ${group.length}`).join(", ");
    throw new Fault("job_file", `split: a directory holds more than files: ${split.files}: ${counts}`, {
      remedy: "raise split.files, or split by files",
    });
  }
  refuseTooMany(groups.size, split.tasks, `${groups.size} directories`);
  const names = freshIds();
  return [...groups].map(([top, group]) => {
    const writes: PathPattern[] = top === "" ? [{ files: group }] : [{ directories: [top] }];
    return part(names(top || "root"), top || "top level", group, writes, steps);
  });
}

function byList(split: Extract<Split, { by: "list" }>, view: SplitView, steps: Step[]): Part[] {
  refuseTooMany(split.items.length, split.tasks, `${split.items.length} items`);
  const owner = new Map<string, string>();
  const names = freshIds();
  return split.items.map((item) => {
    const writes = [itemPattern(item, view)];
    const files = view.files.filter((path) => writes.some((pattern) => view.matches(pattern, path)));
    if (files.length === 0) {
      throw new Fault("job_file", `split.items: nothing in the repository matches ${JSON.stringify(item)}`, {
        remedy: "name a tracked file, a directory, or a glob that matches some",
      });
    }
    for (const path of files) claim(owner, path, item);
    return part(
      names(item),
      item,
      files.filter((path) => view.covers(steps, path)),
      writes,
      steps,
    );
  });
}

function named(tasks: readonly NamedTask[], view: SplitView): Part[] {
  const owner = new Map<string, string>();
  return tasks.map((task) => {
    const matching = (patterns: readonly PathPattern[]) =>
      view.files.filter((path) => patterns.some((pattern) => view.matches(pattern, path)));
    for (const path of matching(task.writes)) claim(owner, path, task.id);
    const covered = matching(task.items ?? task.writes).filter((path) => view.covers(task.steps, path));
    const needs = (task.needs ?? []).map((need) => taskId.parse(need));
    return { ...part(task.id, task.id, covered, task.writes, task.steps), needs };
  });
}

/** Two tasks that may edit the same file would race for it; until tasks can be ordered, that is refused. */
function claim(owner: Map<string, string>, path: string, by: string): void {
  const first = owner.get(path);
  if (first !== undefined && first !== by) {
    throw new Fault("job_file", `${JSON.stringify(path)} may be edited by both ${first} and ${by}`, {
      remedy: "make the write sets disjoint",
    });
  }
  owner.set(path, by);
}

function itemPattern(item: string, view: SplitView): PathPattern {
  const plain = item.replace(/\/+$/, "").replace(/^\.?\//, "");
  if (view.files.includes(plain)) return { files: [plain] };
  if (view.files.some((path) => path.startsWith(`${plain}/`))) return { directories: [plain] };
  return { glob: item };
}

function part(id: string, title: string, files: string[], writes: PathPattern[], steps: Step[]): Part {
  return { id: taskId.parse(id), title, item: {}, needs: [], files, writes, steps };
}

/** Names made of people's text, cut to what a ref may hold, each one once. */
function freshIds(): (text: string) => TaskId {
  const taken = new Set<string>();
  return (text) => {
    const stem =
      text
        .replace(/[^A-Za-z0-9._-]+/g, "-")
        .replace(/^[^A-Za-z0-9]+|[-.]+$/g, "")
        .slice(0, 48) || "item";
    let name = stem;
    for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${stem}-${count}`;
    taken.add(name.toLowerCase());
    return taskId.parse(name);
  };
}

function refuseTooMany(count: number, most: number | undefined, what: string): void {
  if (most === undefined || count <= most) return;
  throw new Fault("job_file", `split: ${what} make ${count} tasks, more than tasks: ${most}`, {
    remedy: "raise split.tasks or split.files, or split otherwise",
  });
}
