import { quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import { parsePattern } from "../permission/rule.ts";
import { durationMs } from "../protocol/duration.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobFile } from "../protocol/job-file.ts";
import { modelText } from "../protocol/job-file-model.ts";
import type { JobRequest } from "../protocol/job-request.ts";
import { type PathPattern, type PermissionMode, permissionMode } from "../protocol/scope.ts";
import { branchName, repositoryPath, shellCommand, text } from "../protocol/written-text.ts";
import { type JobSource, optionName } from "./job-source.ts";

/**
 * What the command line, or a request, says in the place of the job file, as it was typed. `check`: commands added
 * after the file's own; `timeout`: for the whole job, such as `40m`; `publish`: `none`, `patch`, `patch=FILE`, `branch`
 * (then `sheaf/NAME`) or `branch=NAME`; `model`: for prompt steps without an agent that has its own; `sample`: so many
 * of the tasks; `only`: a glob that files must be covered by; `permissionMode`: what becomes of a call that no rule covers;
 * `maxUsd`, `maxTokens`: of the whole job; `maxTurns`: of one run of an agent.
 */
export type Overrides = Readonly<NonNullable<JobRequest["overrides"]>>;

/** The parts of a job file that overrides change, in the form the file has. */
export type Overridden = Pick<JobFile, "checks" | "publish" | "model"> & {
  limits?: Pick<NonNullable<JobFile["limits"]>, "concurrency" | "time" | "usd" | "tokens" | "turns">;
  permissions?: JobFile["permissions"];
};

/** What overrides put in the place of what the file says. Throws Fault `usage`, naming the option. */
export function readOverrides(overrides: Overrides, { file, name, asker }: JobSource): Overridden {
  const { check = [], publish, model, permissionMode: mode } = overrides;
  const option = (word: string) => optionName(asker, word);
  const limits = limitsIn(overrides, option);
  return {
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(check.length === 0
      ? {}
      : { checks: [...(file.checks ?? []), ...check.map((word) => valid(option("check"), shellCommand, word))] }),
    ...(publish === undefined ? {} : { publish: publishing(publish, { file, name, option: option("publish") }) }),
    ...(model === undefined ? {} : { model: valid(option("model"), modelText, model) }),
    ...(mode === undefined
      ? {}
      : { permissions: { ...file.permissions, mode: modeOf(mode, option("permissionMode")) } }),
  };
}

function limitsIn(
  { concurrency, timeout, maxUsd, maxTokens, maxTurns }: Overrides,
  option: (word: string) => string,
): NonNullable<Overridden["limits"]> {
  return {
    ...(concurrency === undefined ? {} : { concurrency: wholeNumber(concurrency, 10_000, option("concurrency")) }),
    ...(timeout === undefined ? {} : { time: milliseconds(timeout, option("timeout")) }),
    ...(maxUsd === undefined ? {} : { usd: money(maxUsd, option("maxUsd")) }),
    ...(maxTokens === undefined ? {} : { tokens: wholeNumber(maxTokens, 1_000_000_000_000, option("maxTokens")) }),
    ...(maxTurns === undefined ? {} : { turns: wholeNumber(maxTurns, 10_000, option("maxTurns")) }),
  };
}

/** Which of the tasks and files the job is narrowed to. Throws Fault `usage`. */
export function readNarrowing(
  { sample, only }: Overrides,
  { asker }: Pick<JobSource, "asker">,
): { sample?: number; only?: PathPattern } {
  return {
    ...(sample === undefined ? {} : { sample: wholeNumber(sample, 1_000_000, optionName(asker, "sample")) }),
    ...(only === undefined ? {} : { only: patternOf(only, optionName(asker, "only")) }),
  };
}

function modeOf(word: string, option: string): PermissionMode {
  const mode = permissionMode.safeParse(word);
  if (mode.success) return mode.data;
  throw refuse(option, `${quoted(word)} is no permission mode`, "write ask, deny or plan");
}

function wholeNumber(word: string, most: number, option: string): number {
  const count = Number(word);
  if (/^\d{1,13}$/.test(word) && count >= 1 && count <= most) return count;
  throw refuse(option, `${quoted(word)} is no number from 1 to ${most}`, "write one such as 4");
}

function money(word: string, option: string): number {
  if (/^(?:\d{1,7}(?:\.\d{0,9})?|\.\d{1,9})$/.test(word) && Number(word) <= 1_000_000) return Number(word);
  throw refuse(option, `${quoted(word)} is no sum in USD, from 0 to 1000000`, "write one such as 2.50");
}

function milliseconds(word: string, option: string): number {
  const read = durationMs(word);
  if ("ms" in read) return read.ms;
  throw refuse(option, read.reason, "write one such as 40m");
}

/** A name without a wildcard is that path from the root, as it is in `items`. */
function patternOf(word: string, option: string): PathPattern {
  const path = valid(option, repositoryPath, word);
  try {
    return parsePattern(/[*?[\]\\]/.test(path) || path.startsWith("/") ? path : `/${path}`);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    throw refuse(option, thrown.message, thrown.remedy ?? "write a glob such as src/**");
  }
}

function publishing(
  word: string,
  { file, name, option }: { file: JobFile; name: string; option: string },
): NonNullable<JobFile["publish"]> {
  const [kind = "", ...rest] = word.split("=");
  const target = rest.length > 0 ? rest.join("=") : undefined;
  if (word === "none" || word === "patch") return word;
  if (kind === "patch" && target) return { patch: valid(option, text({ most: 4_096 }), target) };
  if (kind === "branch" && target !== "") {
    return { ...branchRules(file), branch: valid(option, branchName, target ?? `sheaf/${name}`) };
  }
  const meant = nearest(kind, ["none", "patch", "branch"]);
  const remedy = "use none, patch, patch=FILE, branch or branch=NAME";
  throw refuse(option, `${quoted(word)} is not a way to publish`, meant ? `did you mean ${meant}? ${remedy}` : remedy);
}

/** What the file says of its branch holds for the one that is named in its place. */
function branchRules({ publish }: JobFile) {
  if (typeof publish !== "object" || publish.branch === undefined) return {};
  const { existing, onBaseMoved, groupBy } = publish;
  return {
    ...(existing ? { existing } : {}),
    ...(onBaseMoved ? { onBaseMoved } : {}),
    ...(groupBy ? { groupBy } : {}),
  };
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
