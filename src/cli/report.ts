import { hostname } from "node:os";
import { basename, extname, resolve } from "node:path";
import { systemClock } from "../clock.ts";
import { type Failure, Fault, type FaultCode, faultExits, toFailure } from "../protocol/failure.ts";
import type { Result } from "../protocol/result.ts";
import { visible } from "../protocol/visible.ts";
import { resultOfFailure } from "../report/failed-run.ts";
import { openReportFolder, type ReportOptions, writeReports } from "../report/write-reports.ts";
import type { Surroundings } from "./session.ts";

/** Where a run says how it ended. */
export interface Reporting {
  /**
   * Writes all reports of this result. One that cannot be written is said on stderr; it makes a green run end with an
   * error, for CI would miss it, and leaves a red one as it is. Throws Fault only then.
   */
  finished(result: Result, readPatch?: ReportOptions["readPatch"]): Promise<void>;
}

/** Does `work`, and where that throws before a result was reported, reports what was thrown. Throws what it throws. */
export async function withReports(
  options: { reportDir?: string | undefined; name?: string | undefined },
  around: Surroundings,
  work: (reporting: Reporting) => Promise<void>,
): Promise<void> {
  const startedAt = around.now();
  let folder: string | undefined;
  let isReported = false;
  try {
    folder = await openFolder(options.reportDir, around);
    await work({
      async finished(result, readPatch) {
        isReported = true;
        const [missing] = await write(result, { folder, ...(readPatch ? { readPatch } : {}) }, around);
        if (missing && result.exit_code === 0) throw new Fault(codeOf(missing), missing.message);
      },
    });
  } catch (thrown) {
    const about = { name: nameOf(options.name), startedAt, endedAt: around.now() };
    if (!isReported) await write(resultOfFailure(toFailure(thrown), about), { folder }, around);
    throw thrown;
  }
}

async function openFolder(named: string | undefined, { cwd }: Surroundings): Promise<string | undefined> {
  if (named === undefined) return undefined;
  const folder = resolve(cwd, named);
  await openReportFolder(folder);
  return folder;
}

async function write(
  result: Result,
  options: Pick<ReportOptions, "folder" | "readPatch">,
  { config, terminal }: Surroundings,
): Promise<Failure[]> {
  const own = { ci: config.ci, hostname: hostname() || "localhost", random: systemClock.random };
  const failures = await writeReports(result, { ...own, ...options });
  for (const { message } of failures) terminal.tell(`warning ${visible(message)}`);
  return failures;
}

function nameOf(file: string | undefined): string {
  return file === undefined ? "sheaf" : basename(file, extname(file));
}

function codeOf({ code }: Failure): FaultCode {
  return Object.hasOwn(faultExits, code) ? (code as FaultCode) : "internal";
}
