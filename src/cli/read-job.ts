import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { agentFilesAt } from "../coordinator/brief/agent-files-at.ts";
import { asAsked } from "../job/as-asked.ts";
import type { JobSource } from "../job/job-source.ts";
import { codemodJob, readJobFile } from "../job/read-job-file.ts";
import { inputWords } from "../job/resolve-inputs.ts";
import { resolveJob } from "../job/resolve-job.ts";
import { resolveLocked } from "../job/resolve-locked.ts";
import type { Overrides } from "../job/resolve-overrides.ts";
import { Fault } from "../protocol/failure.ts";
import type { Base, JobSpec } from "../protocol/job.ts";
import type { JobRequest } from "../protocol/job-request.ts";
import type { PlanLock } from "../protocol/plan-lock.ts";
import { exactBase, resolveBase } from "../workspace/base.ts";
import type { Repository } from "../workspace/repository.ts";
import { readLocked } from "./locked-job.ts";
import { openForJob } from "./open-for-job.ts";
import { promptJob } from "./prompt-job.ts";
import type { Surroundings } from "./session.ts";
import { count, oneLine } from "./words.ts";

/** The options that `run` and `plan` share: which job, on which repository, at which commit. */
export interface JobOptions extends Overrides {
  file?: string;
  codemod?: string;
  prompt?: string;
  /** `name=value` words. */
  input?: readonly string[];
  repo: string;
  /** HEAD where nothing is said. */
  ref?: string;
  includeDirty?: boolean;
  /** False leaves out those that the repository has. */
  checks?: boolean;
  /** A lock file. */
  locked?: string;
  /** What was read of it. */
  lock?: PlanLock;
  /** Where a job of the same command started before: the next one starts there too, whatever has moved since. */
  base?: Base;
  /** Commands among the checks that nobody asked for. */
  foundChecks?: readonly string[];
  /** It ends with its plan. */
  planOnly?: boolean;
  /** `--fresh`; or, of a retry, the tasks that are done again. */
  fresh?: boolean | string[];
}

const usualFile = "sheaf.yaml";

/** A job, and all that was said of it: by the command line, and where it was planned before. */
export interface Asked<Options extends JobOptions = JobOptions> {
  source: JobSource;
  options: Options;
  /** The file it was read from, as it was named. */
  file?: string;
}

/** The job as it was asked for: a file, a codemod, a prompt, a locked plan, or `sheaf.yaml` where nothing is named. */
export async function readAsked<Options extends JobOptions>(
  named: string | undefined,
  options: Options,
  around: Surroundings,
): Promise<Asked<Options>> {
  const { cwd } = around;
  const file = named ?? options.file;
  refuseSeveral([named, options.file, options.codemod, options.prompt, options.locked]);
  if (options.codemod !== undefined) return { source: codemodJob(options.codemod, { cwd }), options };
  if (options.locked !== undefined) {
    const locked = await readLocked(options.locked, options, { cwd });
    return { source: locked.source, options: { ...options, ...locked.options } };
  }
  if (options.prompt !== undefined) {
    const { source, foundChecks } = await promptJob(options, around);
    return { source, options: { ...options, foundChecks } };
  }
  if (file !== undefined) return { source: await readJobFile(file, { cwd }), options, file };
  if (!(await isThere(resolve(cwd, usualFile)))) {
    throw new Fault("usage", `no job is named, and there is no ${usualFile} here`, {
      remedy: "name a job file, use --codemod node-protocol, or write one with: sheaf init",
    });
  }
  return { source: await readJobFile(usualFile, { cwd }), options, file: usualFile };
}

function refuseSeveral(words: readonly (string | undefined)[]): void {
  if (words.filter((word) => word !== undefined).length <= 1) return;
  throw new Fault("usage", "a job file, --file, --codemod, --prompt and --locked cannot be used together", {
    remedy: "choose one",
  });
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The repository open, and the job resolved against the exact commit. The caller closes the repository. */
export async function openJob(
  source: JobSource,
  options: JobOptions,
  around: Surroundings,
): Promise<{ spec: JobSpec; repository: Repository }> {
  const { cwd } = around;
  const repository = await openForJob(options, around);
  try {
    const base = await baseOf(repository, options, around);
    const inputs = inputWords(options.input ?? []);
    const agentFiles = agentFilesAt(repository, base.tree);
    const given = { base, overrides: options, inputs, cwd, agentFiles };
    const { lock } = options;
    const spec = lock ? await resolveLocked(source, { ...given, lock }) : await resolveJob(source, given);
    return { spec: asAsked(spec, askedOf(options)), repository };
  } catch (thrown) {
    await repository.close();
    throw thrown;
  }
}

/** What a job file does not say, in the words of a request. */
export function askedOf({
  foundChecks = [],
  planOnly,
  fresh,
}: JobOptions): Pick<JobRequest, "found_checks" | "plan_only" | "fresh"> {
  return {
    ...(foundChecks.length > 0 ? { found_checks: [...foundChecks] } : {}),
    ...(planOnly ? { plan_only: true } : {}),
    ...(fresh ? { fresh } : {}),
  };
}

/** A plan is for one commit; whoever names another one is told so where it is compared. */
async function baseOf(repository: Repository, options: JobOptions, around: Surroundings): Promise<Base> {
  const { lock, ref, includeDirty = false } = options;
  const made = options.base ?? (ref === undefined ? lock?.base : undefined);
  if (made) return { ...(await exactBase(repository, made.commit)), ref: made.ref, is_dirty: made.is_dirty === true };
  const { base, dirty } = await resolveBase(repository, ref ?? "HEAD", { includeDirty });
  sayDirty(dirty, includeDirty, around);
  return base;
}

function sayDirty(dirty: { count: number; sample: string[] }, isIncluded: boolean, { terminal }: Surroundings): void {
  if (dirty.count === 0) return;
  const names = dirty.sample
    .slice(0, 3)
    .map((path) => oneLine(path, 60))
    .join(", ");
  const what = `${count(dirty.count, "uncommitted change")} (${names}${dirty.count > 3 ? ", ..." : ""})`;
  terminal.tell(isIncluded ? `base   with ${what}` : `base   without ${what}; --include-dirty takes them in`);
}
