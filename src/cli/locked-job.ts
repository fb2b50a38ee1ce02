import { dirname, resolve } from "node:path";
import { readDocument } from "../document/read-document.ts";
import { readText } from "../document/read-text.ts";
import type { JobSource } from "../job/job-source.ts";
import { shownPath } from "../job/named-texts.ts";
import { jobOf, readJobFile } from "../job/read-job-file.ts";
import { Fault } from "../protocol/failure.ts";
import { type PlanLock, planLock } from "../protocol/plan-lock.ts";
import type { JobOptions } from "./read-job.ts";

/** The job that a lock file holds the plan of, with what was said when it was planned. */
export async function readLocked(
  file: string,
  options: JobOptions,
  { cwd }: { cwd: string },
): Promise<{ source: JobSource; options: JobOptions }> {
  refuseBesides(options);
  const absolute = resolve(cwd, file);
  const shown = shownPath(absolute, cwd);
  const text = await readText(absolute, { file: shown, code: "usage" });
  const remedy = "write it anew: sheaf plan -o FILE";
  const { value } = readDocument(text, { file: shown, schema: planLock, code: "usage", remedy, maxBytes: 32_000_000 });
  return asLocked(value, options, { folder: dirname(absolute), cwd });
}

/** The same where the lock was made a moment ago. */
export async function asLocked(
  lock: PlanLock,
  options: JobOptions,
  { folder, cwd }: { folder: string; cwd: string },
): Promise<{ source: JobSource; options: JobOptions }> {
  const { file, written, name, inputs = {}, overrides = {} } = lock.of;
  const source =
    file === undefined
      ? jobOf(written ?? {}, { name, said: "the locked job", cwd })
      : await readJobFile(resolve(folder, file), { cwd });
  const input = Object.entries(inputs).map(([key, value]) => `${key}=${value}`);
  return { source: { ...source, name }, options: { ...overrides, ...said(options), input, lock } };
}

/** What a command line leaves out does not undo what was said when it was planned. */
function said(options: JobOptions): JobOptions {
  const { check: _, input: __, ...rest } = options;
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as unknown as JobOptions;
}

/** What would make another job of it. */
function refuseBesides(options: JobOptions): void {
  const { check = [], input = [], model, includeDirty } = options;
  const said = [
    check.length > 0 && "--check",
    input.length > 0 && "--input",
    model !== undefined && "--model",
    includeDirty === true && "--include-dirty",
  ].find(Boolean);
  if (!said) return;
  throw new Fault("usage", `${said} and --locked cannot be used together: the plan is for the job as it was`, {
    remedy: `plan again with ${said}, or leave it out`,
  });
}
