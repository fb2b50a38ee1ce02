import { fillStep } from "../job/fill-step.ts";
import { Fault } from "../protocol/failure.ts";
import { taskId } from "../protocol/ids.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { PathPattern } from "../protocol/scope.ts";
import type { Step } from "../protocol/step.ts";
import type { Task } from "../protocol/task.ts";
import { byDirectory } from "./by-directory.ts";
import { byFiles } from "./by-files.ts";
import { byFindings } from "./by-findings.ts";
import { byList } from "./by-list.ts";
import { byOwner } from "./by-owner.ts";
import { byWorkspace } from "./by-workspace.ts";
import { refuseBrokenParts } from "./check-parts.ts";
import { refuseOverlaps } from "./claims.ts";
import { lockedParts } from "./locked-parts.ts";
import { namedTasks } from "./named-tasks.ts";
import { onlyCovered, sampled } from "./narrow.ts";
import type { Cut, Part, Plan, SplitView } from "./split-view.ts";
import { afterId, beforeId, reservedIds } from "./task-ids.ts";

/**
 * Cuts a job into tasks, each after all it needs. Tasks that are not ordered have disjoint write sets. Pure: what is
 * known of the base comes in, the plan goes out. Throws Fault `job_file` for what cannot be split as asked.
 */
export function planSplit(spec: JobSpec, view: SplitView): Plan {
  const { parts, unsplit } = cutUp(spec, view);
  const narrowed = spec.only ? onlyCovered(parts, spec.only, view) : parts;
  if (spec.only && narrowed.length === 0 && !coversAny(spec.only, view)) throw coversNothing();
  const chosen = spec.sample === undefined ? narrowed : sampled(narrowed, spec.sample);
  const all = withSteps(spec, chosen, view);
  refuseOverlaps(all, view);
  const tasks = all.map((part, ordinal): Task => filled({ ...part, needs: part.needs ?? [], ordinal }));
  return { strategy: strategyOf(spec), tasks, unsplit: [...view.unsplit, ...unsplit] };
}

function coversAny(only: PathPattern, { files, unsplit, matches }: SplitView): boolean {
  return files.some((path) => matches(only, path)) || unsplit.some(({ path }) => matches(only, path));
}

function coversNothing(): Fault {
  return new Fault("job_file", "only: nothing in the repository is covered by it", {
    remedy: "write a glob from the top of the repository, such as src/**",
  });
}

/** `tasks` where the job names its own. */
export function strategyOf(spec: JobSpec): string {
  if (spec.split.by === "planner") return spec.split.by;
  return spec.tasks.length > 0 ? "tasks" : spec.split.by;
}

function cutUp(spec: JobSpec, view: SplitView): Cut {
  if (spec.parts) {
    refuseBrokenParts(spec.parts, spec, view);
    return { parts: lockedParts(spec.parts, spec), unsplit: [] };
  }
  if (spec.tasks.length > 0) return { parts: namedTasks(spec.tasks, view.covers, view), unsplit: [] };
  if (spec.each.length === 0) return { parts: [], unsplit: [] };
  const { parts, unsplit } = cut(spec, view);
  return { parts: parts.map((part) => ({ ...part, steps: spec.each })), unsplit };
}

function cut({ split, each, only }: JobSpec, view: SplitView): Cut {
  const isWanted = (path: string) =>
    view.covers(each, path) && view.isChosen?.(path) !== false && (only === undefined || view.matches(only, path));
  const files = () => view.files.filter(isWanted);
  const all = (parts: Part[]): Cut => ({ parts, unsplit: [] });
  switch (split.by) {
    case "none":
      return all([wholeRepository(files())]);
    case "files":
    case "match":
      return all(byFiles(split, files(), view));
    case "directory":
      return all(byDirectory(split, files()));
    case "list":
      return all(byList(split, isWanted, view));
    case "workspace":
      return all(byWorkspace(split, isWanted, view));
    case "owner":
      return all(byOwner(split, isWanted, view));
    case "findings":
      return byFindings(split, isWanted, view);
    case "planner":
      throw new Fault("usage", "an agent plans the tasks of this job, and nothing is started to show them", {
        remedy: "see them with sheaf plan, which asks it",
      });
  }
}

const everywhere: PathPattern[] = [{ directories: [""] }];

function wholeRepository(files: string[]): Part {
  const title = "the whole repository";
  return { id: taskId.parse("all"), title, item: { path: "." }, files, writes: everywhere, steps: [] };
}

/** The steps once before all parts, and once after them. They are ordered with everything, so they may edit anything. */
function withSteps(spec: JobSpec, parts: readonly Part[], view: SplitView): Part[] {
  const { before, after, only } = spec;
  refuseReserved(spec);
  const around = (id: Part["id"], steps: Step[], needs: Part["id"][]): Part => {
    const isWanted = (path: string) => view.covers(steps, path) && (only === undefined || view.matches(only, path));
    const title = `the steps ${id === beforeId ? "before" : "after"} all parts`;
    return { id, title, item: {}, needs, files: view.files.filter(isWanted), writes: writesOf(steps, only), steps };
  };
  const first = before.length > 0 ? [around(beforeId, before, [])] : [];
  const between =
    first.length > 0 ? parts.map((part) => ({ ...part, needs: [beforeId, ...(part.needs ?? [])] })) : parts;
  const all = [...first, ...between];
  return after.length > 0
    ? [
        ...all,
        around(
          afterId,
          after,
          all.map((part) => part.id),
        ),
      ]
    : all;
}

/** What its steps say they write; the whole repository where one of them does not say. */
function writesOf(steps: readonly Step[], only: PathPattern | undefined): PathPattern[] {
  const written = steps.flatMap((step) => step.writes ?? everywhere);
  if (!written.some((pattern) => "directories" in pattern && pattern.directories.includes(""))) return written;
  return only ? [only] : everywhere;
}

function refuseReserved({ tasks, before, after }: JobSpec): void {
  const taken = tasks.find(
    ({ id }) =>
      (before.length > 0 && id.toLowerCase() === beforeId) || (after.length > 0 && id.toLowerCase() === afterId),
  );
  if (!taken) return;
  throw new Fault("job_file", `the task ${JSON.stringify(taken.id)} has the name of the steps around all tasks`, {
    remedy: `give it another name than ${reservedIds.join(" and ")}`,
  });
}

function filled(task: Task): Task {
  return { ...task, steps: task.steps.map((step) => fillStep(step, task)) };
}
