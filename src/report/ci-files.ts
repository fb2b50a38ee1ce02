import { appendFile, mkdir, open, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Failure } from "../protocol/failure.ts";
import type { Result } from "../protocol/result.ts";
import { visibleLine } from "../protocol/visible.ts";
import { attempt } from "./attempt.ts";
import { replaceFile } from "./replace-file.ts";
import { mostSummaryBytes, renderSummary } from "./summary.ts";

/** Files that a CI system reads after a step. What is said in them can name no variable but ours and end no value early. */
export interface CiFiles {
  /** `GITHUB_STEP_SUMMARY`: Markdown, added to what is there. */
  stepSummary?: string;
  /** `GITHUB_OUTPUT`: outputs of the step, added to what is there. */
  stepOutput?: string;
  /** `SHEAF_DOTENV`: lines `NAME=value` for GitLab's `artifacts:reports:dotenv`; replaced. */
  dotenv?: string;
}

interface CiOptions {
  folder?: string | undefined;
  ci: CiFiles;
  random: (count: number) => Uint8Array;
}

/** Answers what could not be written, and why. */
export async function writeCiFiles(result: Result, options: CiOptions): Promise<Failure[]> {
  const { folder, ci, random } = options;
  const { stepSummary, stepOutput, dotenv } = ci;
  const values = valuesOf(result, folder);
  const dotenvs = [
    ...(dotenv === undefined ? [] : [dotenv]),
    ...(folder === undefined ? [] : [join(folder, "sheaf.env")]),
  ];
  const failures: Failure[] = [];
  if (stepSummary !== undefined) {
    failures.push(...(await attempt("write the step summary", () => addSummary(result, stepSummary))));
  }
  if (stepOutput !== undefined) {
    const lines = outputLines(values, random);
    failures.push(...(await attempt("write the step's outputs", () => addText(stepOutput, lines))));
  }
  for (const file of dotenvs) {
    failures.push(...(await attempt(`write ${file}`, () => writeDotenv(file, values, random))));
  }
  return failures;
}

/** What is told of a result, name and value. The same names everywhere; GitLab's are in capitals after `SHEAF_`. Empty where there is none. */
export function valuesOf(result: Result, folder: string | undefined): [name: string, value: string][] {
  const { published } = result;
  const values: [string, string][] = [
    ["outcome", result.outcome],
    ["exit_code", String(result.exit_code)],
    ["reason", result.reason?.message ?? ""],
    ["job", result.job.handle],
    ["job_id", result.job.id],
    ["base_commit", result.base_commit],
    ["result_commit", result.result_commit ?? ""],
    ["branch", published && "branch" in published ? published.branch : ""],
    ["patch", published && "patch_file" in published ? published.patch_file : ""],
  ];
  if (folder === undefined) return values;
  return [
    ...values,
    ["report_dir", folder],
    ["report_json", join(folder, "result.json")],
    ["report_junit", join(folder, "junit.xml")],
    ["report_summary", join(folder, "summary.md")],
  ];
}

async function addSummary(result: Result, file: string): Promise<void> {
  const before = await sizeOf(file);
  const page = renderSummary(result, { maxBytes: mostSummaryBytes - before - 1 });
  if (page !== "") await addText(file, page);
}

/** `name<<DELIMITER`: a value of any lines, which cannot hold a delimiter that was made at random just now. */
function outputLines(values: readonly [string, string][], random: CiOptions["random"]): string {
  return values
    .map(([name, value]) => {
      const delimiter = `sheaf_${Buffer.from(random(16)).toString("hex")}`;
      return `${name}<<${delimiter}\n${value.replaceAll("\0", "")}\n${delimiter}\n`;
    })
    .join("");
}

/** GitLab reads one line a value, quotes and all, and refuses what it cannot read. */
async function writeDotenv(
  file: string,
  values: readonly [string, string][],
  random: CiOptions["random"],
): Promise<void> {
  const lines = values
    .map(([name, value]) => [`SHEAF_${name.toUpperCase()}`, visibleLine(value, 500)])
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}=${value}\n`);
  await mkdir(dirname(file), { recursive: true });
  await replaceFile(file, lines.join(""), random);
}

/** On a line of its own, whatever somebody else left at the end. */
async function addText(file: string, text: string): Promise<void> {
  await appendFile(file, `${(await endsMidLine(file)) ? "\n" : ""}${text}`);
}

async function endsMidLine(file: string): Promise<boolean> {
  const size = await sizeOf(file);
  if (size === 0) return false;
  await using handle = await open(file, "r");
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  return found?.size ?? 0;
}
