import type { Base, JobSpec, Setup } from "../protocol/job.ts";
import type { JobFile } from "../protocol/job-file.ts";
import type { WrittenStep } from "../protocol/job-file-step.ts";
import { type Filler, inputFiller, type Within } from "./fill-inputs.ts";
import type { JobSource } from "./job-source.ts";
import { checkAgent } from "./resolve-agent.ts";
import { resolveChecks } from "./resolve-checks.ts";
import { compilerOnce } from "./resolve-codemod.ts";
import { collectFaults } from "./resolve-faults.ts";
import { openJobFiles } from "./resolve-files.ts";
import { type GivenInputs, resolveInputs } from "./resolve-inputs.ts";
import { type Overrides, readNarrowing, readOverrides } from "./resolve-overrides.ts";
import { resolvePermissions } from "./resolve-permissions.ts";
import { resolvePublish } from "./resolve-publish.ts";
import { reachOf } from "./resolve-reach.ts";
import { resolveSplit } from "./resolve-split.ts";
import { resolveStep } from "./resolve-step.ts";
import { resolveTasks } from "./resolve-tasks.ts";
import type { ReadAgentFile, Resolving } from "./resolving.ts";
import { writtenJob } from "./written-job.ts";

/** Everything a job says, without the repository it is said of. */
export type JobOrder = Omit<JobSpec, "base">;

export interface ResolveOptions {
  overrides?: Overrides | undefined;
  /** Values of the job's inputs. */
  inputs?: GivenInputs | undefined;
  /** Where a patch file is relative to; without one whoever asked for the job writes it. */
  cwd?: string | undefined;
  /** An example stands for the value of an input that has none: for looking at a job that is not to run. */
  hasStandIns?: boolean;
  /** Reads agent files of the repository; without it those that a job uses are not looked at. */
  agentFile?: ReadAgentFile | undefined;
}

/**
 * A job with nothing left to look up: rule and script files read and inlined, agents found, inputs filled in, recipes
 * compiled once to see that they can be, defaults filled in. Its prompts and the words of its commands are templates
 * that `fillStep` fills in for each task. Throws one Fault (`job_file`, `rule`, `script`, or `usage` for overrides and
 * inputs) that lists every problem with its place.
 */
export async function resolveJob(source: JobSource, options: ResolveOptions & { base: Base }): Promise<JobSpec> {
  return { ...(await resolveOrder(source, options)), base: options.base };
}

/** The same for who needs no repository. */
export async function resolveOrder(source: JobSource, options: ResolveOptions): Promise<JobOrder> {
  const { overrides = {}, cwd } = options;
  const overridden = readOverrides(overrides, source);
  const narrowing = readNarrowing(overrides, source);
  const inputs = resolveInputs(source, options.inputs ?? {}, options);
  const file = { ...source.file, ...overridden, limits: { ...source.file.limits, ...overridden.limits } };
  const resolving = begin({ ...source, file }, inputFiller(inputs, source.place), options);
  const { faults } = resolving;
  const steps = (key: "before" | "each" | "after", within: Within) =>
    faults.all(file[key] ?? [], (step, index) => resolveStep(step, [key, index], within, resolving));
  const checks = await resolveChecks(file.checks ?? [], resolving);
  const each = await steps("each", { hasItem: true });
  const splitOf = { each: file.each && each, checks };
  const [split = { by: "none" }] = await faults.all([splitOf], (about) => resolveSplit(about, resolving));
  const [publish = { kind: "none" }] = await faults.all([file], () => resolvePublish(source.name, cwd, resolving));
  const order: JobOrder = {
    name: source.name,
    inputs,
    ...(file.setup === undefined ? {} : { setup: setupOf(file.setup) }),
    split,
    before: await steps("before", { hasItem: false }),
    each,
    after: await steps("after", { hasItem: false }),
    tasks: await resolveTasks(file.tasks ?? [], resolving),
    checks,
    permissions: await resolvePermissions(file.permissions, resolving),
    ...(file.format === false ? { format: false } : {}),
    land: file.land ?? "green",
    publish,
    limits: limitsOf(file.limits),
    ...narrowing,
    written: writtenJob(source, overrides, { overridden, inputs }),
  };
  await checkUnusedAgents(resolving);
  faults.raise();
  return order;
}

function begin({ file, place, texts }: JobSource, filler: Filler, { agentFile }: ResolveOptions): Resolving {
  const files = openJobFiles(texts);
  return { file, place, filler, files, faults: collectFaults(), compile: compilerOnce(), agentFile };
}

/** Agents of steps were looked up with them. */
async function checkUnusedAgents(resolving: Resolving): Promise<void> {
  const { before = [], each = [], after = [], tasks = [], agents = {} } = resolving.file;
  const steps: WrittenStep[] = [...before, ...each, ...after, ...tasks.flatMap((task) => task.steps)];
  const used = new Set(steps.map((step) => step.agent));
  const unused = Object.entries(agents).filter(([name]) => !used.has(name));
  await resolving.faults.all(unused, ([name, agent]) => checkAgent(name, agent, resolving));
}

const defaultSetupMs = 15 * 60_000;

function setupOf(written: NonNullable<JobFile["setup"]>): Setup {
  if (typeof written === "string") return { run: written, timeout_ms: defaultSetupMs };
  return { run: written.run, timeout_ms: written.timeout ?? defaultSetupMs, ...reachOf(written) };
}

/** Limits of job-file.md: the whole job, and a run that does nothing. */
const defaultTimeMs = 45 * 60_000;
const defaultIdleMs = 5 * 60_000;

function limitsOf(written: JobFile["limits"]): JobSpec["limits"] {
  const { concurrency, time = defaultTimeMs, idle = defaultIdleMs } = written ?? {};
  return { time_ms: time, idle_ms: idle, ...(concurrency === undefined ? {} : { concurrency }) };
}
