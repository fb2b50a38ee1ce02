import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { agentFilesAt } from "../coordinator/brief/agent-files-at.ts";
import { writeDocument } from "../document/write-document.ts";
import type { JobSource } from "../job/job-source.ts";
import { inputWords } from "../job/resolve-inputs.ts";
import { agentsToLock, resolveHashed } from "../job/resolve-locked.ts";
import type { JobSpec } from "../protocol/job.ts";
import type { LockedPart } from "../protocol/part.ts";
import type { Forecast, PlannedJob } from "../protocol/plan.ts";
import { type PlanLock, planLock } from "../protocol/plan-lock.ts";
import type { Repository } from "../workspace/repository.ts";
import { overridesOf } from "./overrides-of.ts";
import type { JobOptions } from "./read-job.ts";

/** What is locked: a job as it was asked for, and its plan. */
export interface ToLock {
  source: JobSource;
  options: JobOptions;
  spec: JobSpec;
  repository: Repository;
  plannedBy?: string | undefined;
  plan?: PlannedJob | undefined;
  parts?: LockedPart[] | undefined;
  forecast?: Forecast | undefined;
}

/** `file`: where the job was read from, as the lock is to name it; absent where it was no file. */
export async function lockOf(locked: ToLock, file: string | undefined, cwd: string): Promise<PlanLock> {
  const { source, options, spec, repository } = locked;
  const inputs = inputWords(options.input ?? []);
  const agentFiles = agentFilesAt(repository, spec.base.tree);
  const hashed = await resolveHashed(source, { base: spec.base, overrides: options, inputs, cwd, agentFiles });
  const overrides = overridesOf(options);
  return planLock.parse({
    version: 1,
    ...(locked.plannedBy === undefined ? {} : { planned_by: locked.plannedBy }),
    of: {
      ...(file === undefined ? { written: source.written } : { file }),
      sha256: hashed.sha256,
      name: source.name,
      ...(Object.keys(inputs).length > 0 ? { inputs } : {}),
      ...(Object.keys(overrides).length > 0 ? { overrides } : {}),
    },
    base: { ref: spec.base.ref, commit: spec.base.commit, ...(spec.base.is_dirty ? { is_dirty: true } : {}) },
    ...(spec.prompt === undefined ? {} : { goal: spec.prompt }),
    agents: agentsToLock(hashed.spec),
    ...(locked.forecast ? { forecast: locked.forecast } : {}),
    ...(locked.plan ? { plan: locked.plan } : {}),
    ...(locked.parts ? { parts: locked.parts } : {}),
  });
}

/** Where a job file is, as a lock beside `output` names it. */
export function fileInLock(named: string | undefined, output: string, cwd: string): string | undefined {
  return named === undefined ? undefined : relative(dirname(resolve(cwd, output)), resolve(cwd, named));
}

export async function writeLock(lock: PlanLock, output: string, cwd: string): Promise<void> {
  const target = resolve(cwd, output);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, `# A plan, to be executed as it is: sheaf run --locked FILE\n${writeDocument(lock)}`);
}
