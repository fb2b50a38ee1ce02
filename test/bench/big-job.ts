import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { result } from "../../src/protocol/result.ts";
import { measureCommand } from "./measured-command.ts";
import { type RealFiles, realFiles } from "./real-files.ts";

/** `node-protocol` over a repository of 10,000 real files (2,000 when quick): the job that several figures are about. */
export async function bigRepository(directory: string, isQuick: boolean): Promise<RealFiles> {
  return realFiles(join(directory, "repository"), isQuick ? 2_000 : 10_000);
}

export interface JobCost {
  wallMs: number;
  cpuMs: number;
  /** Of `wallMs`, from the job's first fact to its last: without opening and closing what it works with. */
  jobMs: number;
  filesChanged: number;
}

/**
 * Runs it from a new and empty data folder, so that no job profits from the objects of an earlier one. `words` is the
 * program, up to where `run` would stand. Throws unless it succeeded.
 */
export async function runBigJob(
  words: readonly string[],
  { home, repository }: { home: string; repository: string },
  options: { threads?: number; env?: Readonly<Record<string, string>> } = {},
): Promise<JobCost> {
  await mkdir(home, { recursive: true });
  try {
    if (options.threads) await writeFile(join(home, "sheaf.config.yaml"), `threads: { count: ${options.threads} }\n`);
    const run = ["run", "--codemod", "node-protocol", "--repo", repository, "--output-format", "json"];
    const env = { ...options.env, SHEAF_HOME: home };
    const { wallMs, cpuMs, stdout } = await measureCommand([...words, ...run], { cwd: home, env });
    const said = shape.parse(JSON.parse(stdout));
    const filesChanged = said.tasks.reduce((sum, task) => sum + task.files_changed, 0);
    return { wallMs, cpuMs, jobMs: Date.parse(said.ended_at) - Date.parse(said.started_at), filesChanged };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

const shape = result
  .pick({ tasks: true, started_at: true, ended_at: true })
  .extend({ outcome: z.literal("succeeded") });
