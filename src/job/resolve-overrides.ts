import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import { durationMs } from "../protocol/duration.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobFile } from "../protocol/job-file.ts";
import { modelText } from "../protocol/job-file-step.ts";
import { branchName, text } from "../protocol/written-text.ts";

/** What the command line says in the place of the job file, as it was typed. */
export interface Overrides {
  /** Commands added after the file's own checks. */
  check?: readonly string[];
  concurrency?: string;
  /** For the whole job, such as `40m`. */
  timeout?: string;
  /** `none`, `patch`, `patch=FILE`, `branch` (then `sheaf/NAME`) or `branch=NAME`. */
  publish?: string;
  /** For prompt steps without an agent that has its own. */
  model?: string;
}

/** The job file with the command line's word put over it. Throws Fault `usage`, naming the option. */
export function overridden(file: JobFile, overrides: Overrides, jobName: string): JobFile {
  const { check = [], concurrency, timeout, publish, model } = overrides;
  const limits = {
    ...file.limits,
    ...(concurrency === undefined ? {} : { concurrency: wholeNumber(concurrency) }),
    ...(timeout === undefined ? {} : { time: milliseconds(timeout) }),
  };
  return {
    ...file,
    limits,
    ...(check.length === 0 ? {} : { checks: [...(file.checks ?? []), ...check.map(command)] }),
    ...(publish === undefined ? {} : { publish: publishing(publish, jobName) }),
    ...(model === undefined ? {} : { model: valid("--model", modelText, model) }),
  };
}

function wholeNumber(word: string): number {
  const count = Number(word);
  if (/^\d{1,5}$/.test(word) && count >= 1 && count <= 10_000) return count;
  throw refuse("--concurrency", `${quoted(word)} is no number from 1 to 10000`, "write one such as --concurrency 4");
}

function milliseconds(word: string): number {
  const read = durationMs(word);
  if ("ms" in read) return read.ms;
  throw refuse("--timeout", read.reason, "write one such as --timeout 40m");
}

function command(word: string): string {
  return valid("--check", text({ most: 16_000 }), word);
}

function publishing(word: string, jobName: string): NonNullable<JobFile["publish"]> {
  const [kind = "", ...rest] = word.split("=");
  const target = rest.length > 0 ? rest.join("=") : undefined;
  if (word === "none" || word === "patch") return word;
  if (kind === "patch" && target) return { patch: valid("--publish", text({ most: 4_096 }), target) };
  if (kind === "branch" && target !== "")
    return { branch: valid("--publish", branchName, target ?? `sheaf/${jobName}`) };
  const meant = nearest(kind, ["none", "patch", "branch"]);
  const remedy = "use none, patch, patch=FILE, branch or branch=NAME";
  throw refuse(
    "--publish",
    `${quoted(word)} is not a way to publish`,
    meant ? `did you mean ${meant}? ${remedy}` : remedy,
  );
}

/** The options hold what the job file's schemas hold; their messages say what to write instead. */
function valid(option: string, schema: typeof branchName, word: string): string {
  const checked = schema.safeParse(word);
  if (checked.success) return checked.data;
  throw refuse(option, checked.error.issues[0]?.message ?? "not valid", "see sheaf run --help");
}

function refuse(option: string, reason: string, remedy: string): Fault {
  return new Fault("usage", `${option}: ${reason}`, { remedy });
}
