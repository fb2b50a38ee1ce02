import type { CommandCheck } from "../protocol/check.ts";
import type { CommandOutcome } from "../sandbox/driver.ts";
import { allAttempts } from "./attempts.ts";
import type { Observation } from "./judge-check.ts";
import type { Reading } from "./report.ts";
import { dropReport, readReportFile } from "./report-file.ts";
import type { CheckView } from "./run-checks.ts";
import { sightOf } from "./sight.ts";

/** Runs one command check in a checkout, again while it is red and may be, and says what was seen. */
export async function observe(
  check: CommandCheck,
  at: { tree: string; root: string; retries: number },
  view: CheckView,
): Promise<Observation> {
  const attempts: Observation[] = [];
  do {
    const seen = await view.traced(check, at.tree, (traceparent) => runOnce(check, { ...at, traceparent }, view));
    attempts.push(seen);
    if (sightOf(seen).kind === "green") break;
  } while (attempts.length <= at.retries);
  return allAttempts(attempts);
}

/** Of a report on standard output; as much as of one in a file. */
const mostReportBytes = 16 * 1024 * 1024;

async function runOnce(
  check: CommandCheck,
  { tree, root, traceparent }: { tree: string; root: string; traceparent: string },
  view: CheckView,
): Promise<Observation> {
  const task = view.task === undefined ? {} : { task_id: view.task };
  await view.log([{ type: "check.started", data: { name: check.name, tree, run: check.run, ...task } }]);
  const stale = check.report === undefined ? undefined : dropReport(root, check.report);
  const isPrinted = check.parse !== "exit" && check.report === undefined;
  const ended = await view.run(check, { root, traceparent, ...(isPrinted ? { stdoutBytes: mostReportBytes } : {}) });
  const { exit, signal, isTimedOut, durationMs } = ended;
  const output = view.redact(ended.output.toString());
  const data = { name: check.name, tree, ...task, exit, signal, timed_out: isTimedOut, duration_ms: durationMs };
  await view.log([{ type: "check.finished", data: { ...data, output: await view.keep(Buffer.from(output)) } }]);
  const report = stale ?? (await reportOf(check, ended, root));
  return { tree, exit, signal, isTimedOut, durationMs, tail: tailOf(output), ...(report ? { report } : {}) };
}

async function reportOf(
  check: CommandCheck,
  ended: CommandOutcome & { place: string },
  root: string,
): Promise<Reading | undefined> {
  if (check.parse === "exit") return undefined;
  // Its parsers are sixty modules, which every start of a job would pay for.
  const { readReport } = await import("./report.ts");
  if (check.report !== undefined) {
    const file = readReportFile(root, check.report, mostReportBytes);
    return "unreadable" in file ? file : readReport(check.parse, file.bytes, ended.place);
  }
  if (!ended.stdout) return { unreadable: "what it printed was not kept" };
  if (ended.stdout.isCut) return { unreadable: `it is longer than ${mostReportBytes} bytes` };
  return readReport(check.parse, ended.stdout.bytes, ended.place);
}

/** The last lines a person wants to see first. */
function tailOf(output: string): string {
  return output.slice(-4_000).split("\n").slice(-30).join("\n").trim();
}
