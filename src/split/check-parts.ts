import { parseGlob } from "../permission/glob-syntax.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { LockedPart } from "../protocol/part.ts";
import type { PathPattern } from "../protocol/scope.ts";
import { repositoryPath } from "../protocol/written-text.ts";
import { orderProblems } from "./plan-order.ts";
import type { SplitView } from "./split-view.ts";
import { afterId, beforeId, plannerId } from "./task-ids.ts";

/** Most problems that are told at once. */
const mostTold = 20;

/**
 * A lock is a file that anybody may have edited: its parts are taken where they could have come of a split of this
 * commit, and mended nowhere. Throws Fault `job_file` with every problem and its place.
 */
export function refuseBrokenParts(parts: readonly LockedPart[], spec: JobSpec, view: Pick<SplitView, "files">): void {
  const problems = [...orderOf(parts), ...parts.flatMap((part, at) => partProblems(part, `parts[${at}]`, spec))];
  const files = new Set(view.files);
  problems.push(...parts.flatMap((part, at) => fileProblems(part, `parts[${at}].files`, files)));
  if (problems.length === 0) return;
  const more = problems.length > mostTold ? [`and ${problems.length - mostTold} more`] : [];
  const told = [...problems.slice(0, mostTold), ...more].map((problem) => `- ${problem}`).join("\n");
  throw new Fault("job_file", `the locked parts cannot be carried out:\n${told}`, {
    remedy: "plan again: sheaf plan -o FILE",
  });
}

function orderOf(parts: readonly LockedPart[]): string[] {
  const problems = orderProblems(parts).map((problem) =>
    problem.replace(/^tasks/, "parts").replace("of tasks[", "of parts["),
  );
  if (problems.length > 0) return problems;
  const before = new Set<string>();
  return parts.flatMap(({ id, needs }, at) => {
    const late = needs.filter((need) => !before.has(need));
    before.add(id);
    return late.map((need) => `parts[${at}].needs: ${JSON.stringify(need)} stands below; write it above`);
  });
}

function partProblems({ id, writes }: LockedPart, place: string, { before, after, tasks }: JobSpec): string[] {
  const taken = [plannerId, ...(before.length > 0 ? [beforeId] : []), ...(after.length > 0 ? [afterId] : [])];
  const isTaken = taken.some((one) => one === id.toLowerCase());
  const isUnknown = tasks.length > 0 && !tasks.some((task) => task.id === id);
  return [
    ...(isTaken ? [`${place}.id: ${JSON.stringify(id)} is taken`] : []),
    ...(isUnknown ? [`${place}.id: the job has no task ${JSON.stringify(id)}`] : []),
    ...writes.flatMap((pattern, at) => patternProblems(pattern, `${place}.writes[${at}]`)),
  ];
}

function patternProblems(pattern: PathPattern, place: string): string[] {
  if ("glob" in pattern) return globProblems(pattern.glob, place);
  const paths = "files" in pattern ? pattern.files : pattern.directories;
  // "" is all of the repository.
  return paths.filter((path) => path !== "" || "files" in pattern).flatMap((path) => pathProblems(path, place));
}

function globProblems(glob: string, place: string): string[] {
  try {
    parseGlob(glob);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return [`${place}: ${thrown.message}`];
  }
}

function pathProblems(path: string, place: string): string[] {
  const checked = repositoryPath.safeParse(path);
  const isAbsolute = path.startsWith("/");
  if (checked.success && !isAbsolute) return [];
  return [
    `${place}: ${JSON.stringify(path)}: ${checked.error?.issues[0]?.message ?? "it is no path of the repository"}`,
  ];
}

function fileProblems({ files }: LockedPart, place: string, known: ReadonlySet<string>): string[] {
  return files.flatMap((path, at) =>
    known.has(path) ? [] : [`${place}[${at}]: ${JSON.stringify(path)} is no file that may be given to a task`],
  );
}
