import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { agentFilesAt } from "../coordinator/agent-files-at.ts";
import type { JobSource } from "../job/job-source.ts";
import { codemodJob, jobOfStep, readJobFile } from "../job/read-job-file.ts";
import { inputWords } from "../job/resolve-inputs.ts";
import { resolveJob } from "../job/resolve-job.ts";
import type { Overrides } from "../job/resolve-overrides.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobSpec } from "../protocol/job.ts";
import { resolveBase } from "../workspace/base.ts";
import { openRepository, type Repository } from "../workspace/repository.ts";
import { makeDataFolder } from "./data-folder.ts";
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
  ref: string;
  includeDirty?: boolean;
}

const usualFile = "sheaf.yaml";

/** The job as it was asked for: a file, a codemod, a prompt, or `sheaf.yaml` where nothing is named. */
export async function readSource(
  named: string | undefined,
  options: JobOptions,
  { cwd }: Surroundings,
): Promise<JobSource> {
  const file = named ?? options.file;
  const asked = [named, options.file, options.codemod, options.prompt].filter((word) => word !== undefined);
  if (asked.length > 1) {
    throw new Fault("usage", "a job file, --file, --codemod and --prompt cannot be used together", {
      remedy: "choose one",
    });
  }
  if (options.codemod !== undefined) return codemodJob(options.codemod, { cwd });
  if (options.prompt !== undefined) return promptJob(options.prompt, cwd);
  if (file !== undefined) return readJobFile(file, { cwd });
  if (!(await isThere(resolve(cwd, usualFile)))) {
    throw new Fault("usage", `no job is named, and there is no ${usualFile} here`, {
      remedy: "name a job file, use --codemod node-protocol, or write one with: sheaf init",
    });
  }
  return readJobFile(usualFile, { cwd });
}

/** `-p TEXT` is one task over the whole repository; splitting it by a planner is not built yet. */
function promptJob(prompt: string, cwd: string): JobSource {
  return jobOfStep({ prompt }, { split: "none", name: "prompt", said: "--prompt", cwd });
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
  const { config, git, cwd } = around;
  await makeDataFolder(config.home);
  const repository = await openRepository(resolve(cwd, options.repo), {
    home: config.home,
    git,
    userHome: config.userHome,
  });
  try {
    const { base, dirty } = await resolveBase(repository, options.ref, { includeDirty: options.includeDirty === true });
    sayDirty(dirty, options.includeDirty === true, around);
    const inputs = inputWords(options.input ?? []);
    const agentFiles = agentFilesAt(repository, base.tree);
    return { spec: await resolveJob(source, { base, overrides: options, inputs, cwd, agentFiles }), repository };
  } catch (thrown) {
    await repository.close();
    throw thrown;
  }
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
