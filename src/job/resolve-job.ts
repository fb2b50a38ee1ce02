import { resolve } from "node:path";
import type { Place } from "../document/place.ts";
import type { Base, JobSpec, NamedTask, Publish, Split } from "../protocol/job.ts";
import type { JobFile } from "../protocol/job-file.ts";
import type { WrittenTask } from "../protocol/job-file-step.ts";
import type { JobSource } from "./read-job-file.ts";
import { resolveChecks } from "./resolve-checks.ts";
import { collectFaults, type FaultList } from "./resolve-faults.ts";
import { openJobFiles } from "./resolve-files.ts";
import { type Overrides, overridden } from "./resolve-overrides.ts";
import { patternAt, ruleAt } from "./resolve-pattern.ts";
import { type JobPath, type StepResolver, stepResolver } from "./resolve-step.ts";

interface Resolving {
  resolveStep: StepResolver["resolveStep"];
  place: Place;
}

/** Everything a job says, without the repository it is said of. */
export type JobOrder = Omit<JobSpec, "base">;

/** Limits of job-file.md: the whole job, and a run that does nothing. */
const defaultTimeMs = 45 * 60_000;
const defaultIdleMs = 5 * 60_000;

/**
 * A job with nothing left to look up: rule and script files read and inlined, agents found, recipes compiled once to
 * see that they can be, defaults filled in. Throws one Fault (`job_file`, `rule`, `script`, or `usage` for an
 * override) that lists every problem with its place. `cwd` is where a patch file is relative to.
 */
export async function resolveJob(
  source: JobSource,
  options: { base: Base; overrides?: Overrides; cwd: string },
): Promise<JobSpec> {
  return { ...(await resolveOrder(source, options)), base: options.base };
}

/** The same for `sheaf validate`, which needs no repository. */
export async function resolveOrder(
  source: JobSource,
  { overrides = {}, cwd }: { overrides?: Overrides; cwd: string },
): Promise<JobOrder> {
  const file = overridden(source.file, overrides, source.name);
  const faults = collectFaults();
  const { resolveStep, checkAgent } = stepResolver({ ...source, file }, openJobFiles(source, cwd));
  const resolving = { resolveStep, place: source.place };
  const rules = (list: "allow" | "deny") =>
    faults.all(file.permissions?.[list] ?? [], (text, index) =>
      ruleAt(text, source.place(["permissions", list, index])),
    );
  const order: JobOrder = {
    name: source.name,
    inputs: {},
    split: (await faults.all([file], () => splitOf(file, source.place)))[0] ?? { by: "none" },
    before: [],
    after: [],
    each: await faults.all(file.each ?? [], (step, index) => resolveStep(step, ["each", index])),
    tasks: await faults.all(file.tasks ?? [], (task, index) =>
      namedTask(task, ["tasks", index], { ...resolving, faults }),
    ),
    checks: await faults
      .all([file.checks ?? []], (checks) => resolveChecks(checks, source.place))
      .then((all) => all.flat()),
    permissions: { allow: await rules("allow"), deny: await rules("deny") },
    land: file.land ?? "green",
    publish: publishOf(file.publish, source.name, cwd),
    limits: limitsOf(file.limits),
  };
  await faults.all(Object.keys(file.agents ?? {}), checkAgent);
  faults.raise();
  return order;
}

function splitOf({ split, each }: JobFile, place: Place): Split {
  if (each === undefined) return { by: "none" };
  if (split === undefined) return { by: "files" };
  if (typeof split === "string") return { by: split };
  const most = { ...(split.files ? { files: split.files } : {}), ...(split.tasks ? { tasks: split.tasks } : {}) };
  switch (split.by) {
    case "none":
      return { by: "none" };
    case "files":
    case "directory":
      return { by: split.by, ...most };
    case "list":
      for (const [index, item] of split.items?.entries() ?? []) patternAt(item, place(["split", "items", index]));
      return { by: "list", items: [...(split.items ?? [])], ...(split.tasks ? { tasks: split.tasks } : {}) };
  }
}

async function namedTask(
  task: WrittenTask,
  path: JobPath,
  { resolveStep, place, faults }: Resolving & { faults: FaultList },
): Promise<NamedTask> {
  const steps = await faults.all(task.steps, (step, at) => resolveStep(step, [...path, "steps", at]));
  const listed = (key: "items" | "writes") =>
    faults.all(task[key] ?? [], (written, at) => patternAt(written, place([...path, key, at])));
  const [items, writes] = [await listed("items"), await listed("writes")];
  if (writes.length === 0) return { id: task.id, writes: items, steps };
  return { id: task.id, writes, ...(items.length > 0 ? { items } : {}), steps };
}

function publishOf(written: JobFile["publish"], name: string, cwd: string): Publish {
  if (written === undefined || written === "none") return { kind: "none" };
  if (written === "patch") return { kind: "patch", file: resolve(cwd, `${name}.patch`) };
  if (written.branch !== undefined) {
    return { kind: "branch", name: written.branch, existing: "refuse", on_base_moved: "keep", group_by: "job" };
  }
  return { kind: "patch", file: resolve(cwd, written.patch ?? `${name}.patch`) };
}

function limitsOf(written: JobFile["limits"]): JobSpec["limits"] {
  const { concurrency, time = defaultTimeMs, idle = defaultIdleMs } = written ?? {};
  return { time_ms: time, idle_ms: idle, ...(concurrency === undefined ? {} : { concurrency }) };
}
