import type { Base, JobSpec, Setup } from "../protocol/job.ts";
import type { JobFile } from "../protocol/job-file.ts";
import { type Filler, inputFiller, type Within } from "./fill-inputs.ts";
import type { JobSource } from "./job-source.ts";
import { type AgentFiles, openRepositoryAgents } from "./repository-agents.ts";
import { agentsIn, resolveAgents } from "./resolve-agents.ts";
import { resolveChecks } from "./resolve-checks.ts";
import { compilerOnce } from "./resolve-codemod.ts";
import { collectFaults } from "./resolve-faults.ts";
import { openJobFiles } from "./resolve-files.ts";
import { type GivenInputs, resolveInputs } from "./resolve-inputs.ts";
import { limitsOf } from "./resolve-limits.ts";
import { type Overrides, readNarrowing, readOverrides } from "./resolve-overrides.ts";
import { resolvePermissions } from "./resolve-permissions.ts";
import { resolvePublish } from "./resolve-publish.ts";
import { reachOf } from "./resolve-reach.ts";
import { resolveServers } from "./resolve-servers.ts";
import { resolveSplit } from "./resolve-split.ts";
import { resolveStep } from "./resolve-step.ts";
import { resolveTasks } from "./resolve-tasks.ts";
import type { Resolving } from "./resolving.ts";
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
  /** The repository's own agent files; without them those that a job uses are not looked at. */
  agentFiles?: AgentFiles | undefined;
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
  const [prompt] = await faults.all([file.prompt ?? []].flat(), (text) => resolving.filler.goal(text, ["prompt"]));
  const [before, after] = [await steps("before", { hasItem: false }), await steps("after", { hasItem: false })];
  const tasks = await resolveTasks(file.tasks ?? [], resolving);
  const permissions = await resolvePermissions(file.permissions, resolving);
  const all = [...before, ...each, ...after, ...tasks.flatMap((task) => task.steps)];
  const agents = await resolveAgents({ permissions, steps: all }, resolving);
  const servers = resolveServers(file.servers);
  const order: JobOrder = {
    name: source.name,
    ...(prompt === undefined ? {} : { prompt }),
    ...agents,
    ...(servers.length > 0 ? { servers } : {}),
    inputs,
    ...(file.setup === undefined ? {} : { setup: setupOf(file.setup) }),
    split,
    before,
    each,
    after,
    tasks,
    checks,
    permissions,
    ...(file.format === false ? { format: false } : {}),
    land: file.land ?? "green",
    publish,
    limits: limitsOf(file.limits, agentsIn(agents, all)),
    ...narrowing,
    written: writtenJob(source, overrides, { overridden, inputs }),
  };
  faults.raise();
  return order;
}

function begin({ file, place, texts }: JobSource, filler: Filler, { agentFiles }: ResolveOptions): Resolving {
  const files = openJobFiles(texts);
  const agents = openRepositoryAgents(agentFiles);
  return { file, place, filler, files, faults: collectFaults(), compile: compilerOnce(), agents };
}

const defaultSetupMs = 15 * 60_000;

function setupOf(written: NonNullable<JobFile["setup"]>): Setup {
  if (typeof written === "string") return { run: written, timeout_ms: defaultSetupMs };
  return { run: written.run, timeout_ms: written.timeout ?? defaultSetupMs, ...reachOf(written) };
}
