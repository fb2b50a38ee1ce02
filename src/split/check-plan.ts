import { compilePattern } from "../permission/pattern.ts";
import { subjectOf } from "../permission/subject.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { PlannedJob, PlannedTask } from "../protocol/plan.ts";
import type { PathPattern } from "../protocol/scope.ts";
import { overlapsIn } from "./claims.ts";
import { indexOf } from "./file-index.ts";
import { inNeededOrder, orderProblems } from "./plan-order.ts";
import { readWrite } from "./planned-writes.ts";
import type { SplitView } from "./split-view.ts";
import { afterId, beforeId, plannerId } from "./task-ids.ts";

/** What a plan is held against besides the files of the base. */
export interface PlanGround {
  spec: JobSpec;
  view: SplitView;
  /** Why a task that writes this could not edit that path; undefined where it could, be it by asking. */
  refusedEdit(pattern: PathPattern, path: string): string | undefined;
  /** Why the job would not have this command run; undefined where it would. */
  refusedCommand(run: string): string | undefined;
}

/**
 * Everything that keeps a plan from being carried out, each with its place; nothing where it can be. Pure, and it mends
 * nothing: a plan is taken as it is or not at all.
 */
export function checkPlan(plan: PlannedJob, ground: PlanGround): string[] {
  const tooMuch = writesProblem(plan);
  if (tooMuch) return [...countProblems(plan, ground.spec), tooMuch];
  const order = orderProblems(plan.tasks);
  const read = readTasks(plan, ground);
  const problems = [
    ...countProblems(plan, ground.spec),
    ...order,
    ...plan.tasks.flatMap((task, index) => taskProblems(task, `tasks[${index}]`, ground)),
    ...read.problems,
  ];
  // Who is ordered with whom is known only where the needs are in order.
  if (order.length > 0 || read.problems.length > 0) return inTaskOrder(problems);
  return [...inTaskOrder(problems), ...overlapProblems(plan.tasks, read, ground), ...coverProblems(read, ground)];
}

/** Of all tasks together: each may have to be looked up among all files. */
export const mostWrites = 2_000;

function writesProblem({ tasks }: PlannedJob): string | undefined {
  const count = tasks.reduce((sum, { writes }) => sum + writes.length, 0);
  if (count <= mostWrites) return undefined;
  return `tasks: they have ${count} writes together, and at most ${mostWrites} are taken; name folders, or larger globs`;
}

/** What is about the plan as a whole first, then task by task. */
function inTaskOrder(problems: readonly string[]): string[] {
  const taskOf = (problem: string) => Number(/^tasks\[(\d+)\]/.exec(problem)?.[1] ?? -1);
  return problems.toSorted((left, right) => taskOf(left) - taskOf(right));
}

function countProblems({ tasks }: PlannedJob, { split }: JobSpec): string[] {
  const most = split.by === "planner" ? split.tasks : undefined;
  if (most === undefined || tasks.length <= most) return [];
  return [`tasks: there are ${tasks.length}, and the job takes at most ${most}; make fewer, larger ones`];
}

function taskProblems(task: PlannedTask, place: string, { spec, refusedCommand }: PlanGround): string[] {
  const reserved = reservedIn(spec).find((id) => id === task.id.toLowerCase());
  const agents = (spec.agents ?? []).map(({ name }) => name);
  const isUnknown = task.agent !== undefined && !agents.includes(task.agent);
  const known = agents.length > 0 ? `those there are: ${agents.join(", ")}` : "leave it out: there are none to choose";
  return [
    ...(reserved === undefined ? [] : [`${place}.id: ${JSON.stringify(task.id)} is taken; give it another name`]),
    ...(isUnknown ? [`${place}.agent: there is no agent ${JSON.stringify(task.agent)}; ${known}`] : []),
    ...(task.checks ?? []).flatMap((run, index) => {
      const reason = refusedCommand(run);
      return reason === undefined ? [] : [`${place}.checks[${index}]: ${reason}`];
    }),
  ];
}

function reservedIn({ before, after }: JobSpec): string[] {
  return [plannerId, ...(before.length > 0 ? [beforeId] : []), ...(after.length > 0 ? [afterId] : [])];
}

interface ReadPlan {
  /** Of each task, in their order. */
  writes: PathPattern[][];
  /** Folders that are not there yet. */
  newFolders: string[];
  problems: string[];
}

function readTasks({ tasks }: PlannedJob, ground: PlanGround): ReadPlan {
  const read: ReadPlan = { writes: [], newFolders: [], problems: [] };
  for (const [index, task] of tasks.entries()) {
    read.writes.push(
      task.writes.flatMap((text, at) => readOne(text, `tasks[${index}].writes[${at}]`, { read, ground })),
    );
  }
  return read;
}

function readOne(text: string, place: string, { read, ground }: { read: ReadPlan; ground: PlanGround }): PathPattern[] {
  const one = readWrite(text, ground.view);
  const problem = "problem" in one ? one.problem : refusedWrite(one.pattern, ground);
  if (problem !== undefined) read.problems.push(`${place}: ${JSON.stringify(text)}: ${problem}`);
  if ("problem" in one) return [];
  if (one.isNew && "directories" in one.pattern) read.newFolders.push(...one.pattern.directories);
  return [one.pattern];
}

/** A file of a folder that is yet to be made. No file has that name. */
const someFile = "\u0001";

/** All of it must be beyond reach before it is a problem: an agent is told of single files when it meets them. */
function refusedWrite(pattern: PathPattern, ground: PlanGround): string | undefined {
  const { spec, view, refusedEdit } = ground;
  const there = indexOf(view).covered(pattern);
  const paths = there.length > 0 ? there : namedIn(pattern);
  const { only } = spec;
  if (only && !paths.some((path) => view.matches(only, path))) return "the job is only about other files";
  let reason: string | undefined;
  for (const path of paths) {
    reason = refusedEdit(pattern, path);
    if (reason === undefined) return undefined;
  }
  return reason;
}

function namedIn(pattern: PathPattern): string[] {
  if ("files" in pattern) return pattern.files;
  return "directories" in pattern ? pattern.directories.map((folder) => `${folder}/${someFile}`) : [];
}

/** Pairs that are told at most; all of one plan may be about the same file. */
const mostOverlaps = 20;

function overlapProblems(
  tasks: readonly PlannedTask[],
  { writes, newFolders }: ReadPlan,
  { view }: PlanGround,
): string[] {
  const places = new Map(tasks.map((task, index) => [task.id as string, index]));
  const parts = inNeededOrder(tasks).map((task) => ({
    id: task.id,
    needs: task.needs ?? [],
    writes: writes[places.get(task.id) ?? 0] ?? [],
  }));
  const reached = reachingInto(newFolders, view);
  const told = new Map<string, string>();
  for (const { path, first, second } of overlapsIn(parts, view, reached)) {
    if (told.size >= mostOverlaps) break;
    const pair = `${first} ${second}`;
    const shown = JSON.stringify(path.replace(`/${someFile}`, "/"));
    const place = `tasks[${places.get(second)}].writes`;
    if (!told.has(pair)) told.set(pair, `${place}: ${shown} may be edited by both ${first} and ${second}; ${disjoint}`);
  }
  return [...told.values()];
}

/** A pattern that may cover a file of a folder that is yet to be made claims all of it. */
function reachingInto(folders: readonly string[], view: SplitView): (pattern: PathPattern) => string[] {
  const isFolded = view.isCaseInsensitive === true;
  const facts = { isCaseInsensitive: isFolded, isDirectory: true };
  const known = folders.map((folder) => ({ path: `${folder}/${someFile}`, subject: subjectOf(folder, facts) }));
  return (pattern) => {
    // A file that is named claims itself alone.
    if ("files" in pattern) return [];
    const { couldCoverBelow } = compilePattern(pattern, isFolded);
    return known.flatMap(({ path, subject }) => (couldCoverBelow(subject) ? [path] : []));
  };
}

const disjoint = "make their writes disjoint, or let one need the other";

const mostNamed = 20;

/** Every file that the split's match chose is in some task's hands. */
function coverProblems({ writes }: ReadPlan, { spec, view }: PlanGround): string[] {
  const { isChosen } = view;
  if (!isChosen) return [];
  const index = indexOf(view);
  const covered = new Set(writes.flat().flatMap((pattern) => index.covered(pattern)));
  const { only } = spec;
  const isMeant = (path: string) => isChosen(path) && (only === undefined || view.matches(only, path));
  const left = view.files.filter((path) => isMeant(path) && !covered.has(path));
  if (left.length === 0) return [];
  const named = left.slice(0, mostNamed).map((path) => JSON.stringify(path));
  const more = left.length > mostNamed ? `, and ${left.length - mostNamed} more` : "";
  return [`tasks: no task may edit ${named.join(", ")}${more}; the split's match chose them, so each needs a task`];
}
