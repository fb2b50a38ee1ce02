import { constants } from "node:fs";
import { access, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Failure, Fault, toFailure } from "../protocol/failure.ts";
import type { Result, TaskResult } from "../protocol/result.ts";
import { attempt } from "./attempt.ts";
import { type CiFiles, writeCiFiles } from "./ci-files.ts";
import { renderJunit } from "./junit.ts";
import { replaceFile } from "./replace-file.ts";
import { mostSummaryBytes, renderSummary } from "./summary.ts";

/**
 * What a job came to, for machines and people who were not there. It decides nothing and changes no outcome: each
 * report is written by itself, and one that cannot be written takes no other with it.
 */
export interface ReportOptions {
  /** Of `--report-dir`, absolute; made by `openReportFolder`. Without it only the files of the CI system are written. */
  folder?: string | undefined;
  /** Files that the CI system gave to this step. */
  ci: CiFiles;
  hostname: string;
  random: (count: number) => Uint8Array;
  /** The patch of a task's work that did not land; without it the file that the result names is read. */
  readPatch?: (task: TaskResult) => Promise<Uint8Array>;
}

/** Answers what could not be written, and why; an empty list when all is there. `result.json` is written last. */
export async function writeReports(result: Result, options: ReportOptions): Promise<Failure[]> {
  const { folder } = options;
  const failures = folder === undefined ? [] : await writeFolder(result, folder, options);
  return [...failures, ...(await writeCiFiles(result, options))];
}

/**
 * Makes the folder before a job starts, so that a mistake costs nothing, and removes the reports of an earlier job,
 * which would be taken for this one's if it never came to its end. Throws Fault `usage` or `read_only`.
 */
export async function openReportFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    if (await isOurs(folder)) await removeReports(folder);
  } catch (cause) {
    const { code } = toFailure(cause);
    throw new Fault(code === "internal" ? "usage" : "read_only", `reports cannot be written to ${folder}`, {
      remedy: "name a folder that can be made and written with --report-dir",
      cause,
    });
  }
}

const earlier = z.object({ schema: z.literal("sheaf.result/v1") });

/** Files of somebody else that happen to have our names are not ours to remove. */
async function isOurs(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, "result.json"), "utf8").catch(() => "null");
  try {
    return earlier.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

async function removeReports(folder: string): Promise<void> {
  for (const name of ["patches", "junit.xml", "summary.md", "sheaf.env", "result.json"]) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function writeFolder(result: Result, folder: string, options: ReportOptions): Promise<Failure[]> {
  const put = (name: string, content: () => string) =>
    attempt(`write ${join(folder, name)}`, async () => replaceFile(join(folder, name), content(), options.random));
  return [
    ...(await writePatches(result, join(folder, "patches"), options)),
    ...(await put("junit.xml", () => renderJunit(result, options))),
    ...(await put("summary.md", () => renderSummary(result, { maxBytes: mostSummaryBytes }))),
    ...(await put("result.json", () => `${JSON.stringify(result, null, 2)}\n`)),
  ];
}

async function writePatches(
  result: Result,
  folder: string,
  { random, readPatch = patchFile }: ReportOptions,
): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const task of result.tasks.filter(({ patch_file }) => patch_file !== undefined)) {
    const file = join(folder, `${task.id}.patch`);
    const write = async () => {
      await mkdir(folder, { recursive: true });
      await replaceFile(file, await readPatch(task), random);
    };
    failures.push(...(await attempt(`write ${file}`, write)));
  }
  return failures;
}

async function patchFile({ patch_file }: TaskResult): Promise<Uint8Array> {
  return readFile(patch_file ?? "");
}
